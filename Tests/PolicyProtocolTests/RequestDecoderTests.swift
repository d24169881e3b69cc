import PolicyProtocol
import TestKit
import Testing

/// Cutting octets into requests, whatever they are and however they come.
struct RequestDecoderTests {
    /// What comes out for a text, handed over in pieces of a size.
    private func decode(
        _ octets: [UInt8], pieces: Int = 4_096
    ) -> [RequestDecoder.Outcome] {
        var decoder = RequestDecoder()
        var outcomes: [RequestDecoder.Outcome] = []
        var rest = octets[...]
        while !rest.isEmpty {
            decoder.decode(Array(rest.prefix(pieces)).span) { outcomes.append($0) }
            rest = rest.dropFirst(pieces)
        }
        return outcomes
    }

    private func decode(_ text: String, pieces: Int = 4_096) -> [RequestDecoder.Outcome] {
        decode(Array(text.utf8), pieces: pieces)
    }

    private func request(_ values: [PolicyRequest.Attribute: String]) -> RequestDecoder.Outcome {
        var request = PolicyRequest()
        for (attribute, value) in values { request[attribute] = Array(value.utf8) }
        return .request(request)
    }

    @Test func `attributes that matter are kept, in any order, others are skipped`() {
        let text =
            "stress=\nsender=a@example.com\nrequest=smtpd_access_policy\nhelo_name=h=1\nsize=0\n\n"
        #expect(
            decode(text) == [
                request([.sender: "a@example.com", .request: "smtpd_access_policy", .helo: "h=1"])
            ])
    }

    @Test(arguments: [1, 2, 7, 64, 4_096])
    func `it does not matter how the octets come`(_ pieces: Int) {
        let text = "sender=a@b\n\nhelo_name=x\r\nsender=\r\n\r\n\nfoo\n\n"
        #expect(
            decode(text, pieces: pieces) == [
                request([.sender: "a@b"]), request([.helo: "x"]), .fault(.empty),
                .fault(.notAnAttribute),
            ])
    }

    @Test func `the last of two values holds`() {
        #expect(decode("sender=a@b\nsender=c@d\n\n") == [request([.sender: "c@d"])])
    }

    @Test(arguments: [
        ("\n", RequestFault.empty), ("sender\n\n", .notAnAttribute), ("=x\n\n", .notAnAttribute),
        ("sender=a\0b\n\n", .nul), ("request=junk_mail\n\n", .otherRequest),
    ])
    func `what makes no sense is a fault of its own, and the next request is fine`(
        _ text: String, _ fault: RequestFault
    ) {
        #expect(decode(text + "helo_name=x\n\n") == [.fault(fault), request([.helo: "x"])])
    }

    @Test func `values that matter are bounded, others only with the whole`() {
        let long = String(repeating: "x", count: RequestDecoder.longestValue + 1)
        #expect(decode("sender=\(long)\n\n") == [.fault(.longValue(.sender))])
        #expect(decode("ccert_fingerprint=\(long)\nsender=a\n\n") == [request([.sender: "a"])])
    }

    @Test(arguments: [60_000, 70_000, 1 << 20, 10 << 20])
    func `a request is read up to a bound, and skipped to its end beyond`(_ size: Int) {
        let filler = [UInt8](repeating: UInt8(ascii: "y"), count: size)
        let octets =
            Array("x=".utf8) + filler + Array("\nsender=a@b\n\nsender=c@d\n\n".utf8)
        let first: RequestDecoder.Outcome =
            size < RequestDecoder.longestRequest
            ? request([.sender: "a@b"]) : .fault(.tooLong)
        #expect(decode(octets, pieces: 65_536) == [first, request([.sender: "c@d"])])
    }

    @Test func `a request without end is given up`() {
        var decoder = RequestDecoder()
        let line = Array("name=value\n".utf8)
        let piece = Array([[UInt8]](repeating: line, count: 90_000).joined())
        var outcome: RequestDecoder.Outcome?
        for _ in 0..<100 where outcome == nil {
            decoder.decode(piece.span) { outcome = $0 }
        }
        #expect(outcome == .fault(.endless))
        #expect(RequestFault.endless.endsConnection)
    }

    @Test(arguments: [1, 3, 1_000])
    func `a long line of carriage returns is empty, with a letter it is not`(_ pieces: Int) {
        let returns = [UInt8](repeating: 0x0D, count: RequestDecoder.longestRequest)
        let line = returns + [0x0A]
        let text = Array("x=1\n".utf8)
        #expect(decode(text + line, pieces: pieces) == [.fault(.tooLong)])
        let other = text + [0x61] + line + Array("\nsender=a\n\n".utf8)
        #expect(
            decode(other, pieces: pieces) == [.fault(.tooLong), request([.sender: "a"])])
    }

    @Test(arguments: [1, 4, 5, 100])
    func `a milter's first command ends it, where a connection begins`(_ pieces: Int) {
        let offer: [UInt8] = [0, 0, 0, 13, 0x4F, 0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0x0A, 0x0A]
        let outcomes = decode(offer + Array("sender=a\n\n".utf8), pieces: pieces)
        #expect(outcomes == [.fault(.milterNegotiation)])
        #expect(RequestFault.milterNegotiation.endsConnection)
        let later = decode(Array("sender=a\n\n".utf8) + offer, pieces: pieces)
        #expect(later == [request([.sender: "a"]), .fault(.nul)])
    }

    @Test func `what is kept is an unfinished request`() {
        var decoder = RequestDecoder()
        decoder.decode(Array("sender=a@b\nstress=\nhelo_n".utf8).span) { _ in }
        #expect(decoder.isInsideRequest)
        #expect(decoder.bufferedOctets == "a@bhelo_n".utf8.count)
        decoder.decode(Array("ame=x\n\n".utf8).span) { _ in }
        #expect(!decoder.isInsideRequest)
        #expect(decoder.bufferedOctets == 0)
    }

    @Test func `any octets at all have outcomes, one for each empty line`() {
        var generator = SeededGenerator(seed: 1001)
        let alphabet = Array("ab=\r\n\0\u{C3}".utf8)
        for _ in 0..<300 {
            let octets = (0..<200).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            let outcomes = decode(octets, pieces: Int.random(in: 1...50, using: &generator))
            var lines = octets.split(separator: 10, omittingEmptySubsequences: false)
            lines.removeLast()
            let empty = lines.count { $0.allSatisfy { $0 == 13 } }
            #expect(outcomes.count == empty)
        }
    }
}
