import Foundation
import MailDNS
import MailSyntax
import TestKit
import Testing

/// Messages that nobody writes by accident, sent to a running daemon.
@Suite(.serialized) struct HostileMailTests {
    private let keys: Keys

    init() throws {
        keys = try Keys.shared.get()
    }

    /// A message of ours as the MTA hands it on, signed.
    private func signed(_ message: MailMessage = .plain) throws -> MailMessage {
        try message.signed("Canonicalization relaxed/relaxed\n")
    }

    @Test func `thousands of forged results are refused for good`() throws {
        var message = MailMessage.plain
        message.fields += (0..<10_050).map { _ in MailMessage.Field("Authentication-Results", "=?")
        }
        let daemon = try RunningDaemon("Mode v")
        #expect(try daemon.mta.deliver(message).refusal == "550 5.6.0")
    }

    @Test func `200,000 header fields are refused, and signed where the limit allows`() throws {
        var message = MailMessage.plain
        message.fields += (0..<200_000).map { MailMessage.Field("X\($0 % 10)", " y") }
        let daemon = try RunningDaemon(ours(keys.single))
        #expect(try daemon.mta.deliver(message).refusal == "451 4.3.4")
        #expect(try daemon.peakMemory < 64 << 20)
        try daemon.reload("MaximumHeaders 0\n" + ours(keys.single), until: "is reloaded")
        #expect(try daemon.mta.deliver(message).signatureCount == 1)
    }

    /// Postfix's fields have 60 KB at most; libmilter's frames, here, 1 MB.
    @Test(arguments: [(1_000, 60_000), (66, 900_000)])
    func `60 MB of header are refused in little memory`(_ count: Int, _ size: Int) throws {
        let daemon = try RunningDaemon("MaximumHeaders 0\n" + ours(keys.single))
        try daemon.forgetPeakMemory()
        let connection = try RawConversation(daemon.mta)
        try connection.begin()
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        for _ in 0..<count { try connection.field("X", value) }
        try connection.field("From", Array("a@example.org".utf8))
        try connection.endHeader()
        #expect(try connection.end().last?.command == "y")
        connection.close()
        // The limit is 16 MB, and an array that grows stands there twice for a moment.
        #expect(try daemon.peakMemory < 96 << 20)
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1)
    }

    @Test func `a body of 2 GB is signed in constant memory`() throws {
        let daemon = try RunningDaemon(ours(keys.single))
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1)
        try daemon.forgetPeakMemory()
        let before = try daemon.peakMemory
        let connection = try RawConversation(daemon.mta)
        try connection.begin()
        try connection.field("From", Array("a@example.org".utf8))
        try connection.endHeader()
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 65_533) + [13, 10]
        for _ in 0..<(2 << 30) / line.count + 1 { try connection.body(line) }
        let replies = try connection.end()
        #expect(replies.map(\.command) == ["i", "a"])
        connection.close()
        #expect(try daemon.peakMemory < before + 2 << 20)
    }

    @Test(.timeLimit(.minutes(5))) func `of 10,000 signatures 8 are looked at, the author's first`()
        throws
    {
        let daemon = try RunningDaemon("MaximumHeaders 0\n")
        var message = try signed()
        let hash = String(repeating: "A", count: 43) + "="
        let other = MailMessage.Field(
            "DKIM-Signature", " v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=\(hash); b=eA==")
        message.fields = Array(repeating: other, count: 10_000) + message.fields
        let outcome = try daemon.mta.deliver(message)
        // Only the topmost fields are read at all: the author's own is far below them.
        #expect(outcome.results[0].components(separatedBy: "dkim=").count == 9)
        #expect(daemon.log("9993 more signatures were not evaluated") == 1)
        #expect(Set(daemon.dns.queries.map(\.name.ascii)) == ["s._domainkey.x.example"])
    }

    /// Header fields and bodies with octets that have no business there: signed by the daemon, then verified by it.
    static let octets: [(String, value: [UInt8], body: [UInt8])] = [
        ("8-bit", [0x20, 0xFF, 0xFE, 0x80], [0xFF, 0x00, 0x80, 13, 10]),
        ("a lone CR", Array(" a\rb".utf8), Array("a\rb\r\n\r".utf8)),
        ("a lone LF", Array(" a\n b".utf8), Array("a\nb\n".utf8)),
        ("a line end without white space", Array(" a\nb".utf8), Array("\n\r\n".utf8)),
        ("white space alone", Array(" \t ".utf8), Array("\t \r\n \r\n".utf8)),
        ("UTF-8", Array(" héllo 你好".utf8), Array("你好".utf8)),
        ("nothing", [], []),
    ]

    @Test(arguments: octets)
    func `strange octets sign and verify`(
        _ name: String, _ value: [UInt8], _ body: [UInt8]
    ) throws {
        for canonicalization in ["simple/simple", "relaxed/relaxed"] {
            let daemon = try RunningDaemon(
                "Canonicalization \(canonicalization)\nMTA out\n" + keys.twins)
            var message = MailMessage.plain
            message.fields.append(MailMessage.Field("List-Id", ""))
            message.fields[message.fields.count - 1].value = value
            message.body = body
            var envelope = Envelope()
            envelope.daemonName = "out"
            var sent = try daemon.mta.deliver(message, envelope).message
            #expect(sent.values("DKIM-Signature").count == 2, "\(name)")
            sent.fields.removeAll { $0.name == "Received" }
            let results = try daemon.mta.deliver(sent).results[0]
            #expect(results.components(separatedBy: "dkim=pass").count == 3, "\(results)")
        }
    }

    @Test func `no signature over the whole passes for a field that is cut at NUL`() throws {
        let daemon = try RunningDaemon("")
        var message = MailMessage.plain
        message.fields[2].value = Array(" Hel\0lo".utf8)
        let outcome = try daemon.mta.deliver(try signed(message))
        #expect(!outcome.results[0].contains("dkim=pass"))
    }

    @Test func `addresses and fields in UTF-8 sign for the A-label`() throws {
        var zone = ZoneResolver()
        zone.add(try Keys.txt("mail._domainkey.xn--bcher-kva.example", Keys.record(keys.rsa)))
        let text = "MTA out\n" + keys.single.replacing("example.org", with: "bücher.example")
        let daemon = try RunningDaemon("DontSignMailTo δοκιμή@bücher.example\n" + text, zone: zone)
        let message = MailMessage.plain.with(
            ("From", "Дима <дима@bücher.example>"), ("Subject", "Grüße"))
        var envelope = Envelope()
        envelope.daemonName = "out"
        envelope.mail = ["<дима@bücher.example>", "SMTPUTF8"]
        envelope.recipients = [["<δοκιμή@example.net>"]]
        let sent = try daemon.mta.deliver(message, envelope)
        #expect(sent.signatureCount == 1)
        var received = sent.message
        received.fields.removeAll { $0.name == "Received" }
        let results = try daemon.mta.deliver(received).results[0]
        #expect(results.contains("dkim=pass") && results.contains("d=xn--bcher-kva.example"))
        envelope.recipients = [["<δοκιμή@bücher.example>"]]
        #expect(try daemon.mta.deliver(message, envelope).signatureCount == 0)
    }

    /// libmilter by itself dies of the first.
    @Test(arguments: ["native", "libmilter"])
    func `a malformed frame ends its connection alone`(_ transport: String) throws {
        let daemon = try RunningDaemon("Transport \(transport)\n" + ours(keys.single))
        let malformed = [
            MilterWire.frame("D", Array("Mi\0".utf8)), [0, 0x10, 0, 1, 0x42],
            MilterWire.frame("?"), MilterWire.frame("M", [65]),
        ]
        for frame in malformed {
            let connection = try daemon.mta.connect()
            connection.stream.write(frame)
            try connection.stream.flush()
            #expect(throws: StreamError.closed) { try connection.readFrame() }
            connection.close()
        }
        let half = try daemon.mta.connect()
        half.stream.write([0, 0, 0, 9, 0x44, 0x4D])
        try half.stream.flush()
        half.close()
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1)
        try daemon.process.waitForLogLine("connection ended: the MTA sent an unknown command")
        #expect(daemon.log("connection ended: the MTA sent ") == malformed.count)
        #expect(try daemon.process.stop() == .exited(0))
    }
}

/// A milter conversation that a test writes piece by piece, so that a message need never be in memory.
final class RawConversation {
    private let connection: MTAConnection

    init(_ mta: FakeMTA) throws {
        connection = try mta.connect()
    }

    /// Connects as the tests' client, with a message from alice.
    func begin(queueID: String? = "4XyZ") throws {
        connection.send("D", MilterWire.strings(["Cj", "mx.example.org"]))
        connection.send(
            "C",
            MilterWire.strings(["client.example.net"]) + Array("4\u{1}\u{1}192.0.2.1\0".utf8))
        if let queueID { connection.send("D", MilterWire.strings(["Mi", queueID])) }
        connection.send("M", MilterWire.strings(["<alice@example.org>"]))
        try connection.stream.flush()
    }

    func field(_ name: String, _ value: [UInt8]) throws {
        connection.send("L", MilterWire.strings([name]) + value + [0])
        try connection.stream.flush()
    }

    func endHeader() throws {
        connection.send("N")
        try connection.stream.flush()
    }

    func body(_ bytes: [UInt8]) throws {
        connection.send("B", bytes)
        try connection.stream.flush()
    }

    /// Ends the message; all replies up to the final one.
    func end() throws -> [(command: Character, data: [UInt8])] {
        connection.send("E")
        var replies: [(command: Character, data: [UInt8])] = []
        while true {
            let reply = try connection.readFrame()
            if reply.command == "p" { continue }
            replies.append(reply)
            if "cadtry".contains(reply.command) { return replies }
        }
    }

    func close() { connection.close() }
}

extension MTAConnection {
    /// Writes a frame without delay.
    fileprivate func send(_ command: Character, _ data: [UInt8] = []) {
        stream.write(MilterWire.frame(command, data))
    }
}
