import MailCrypto
import MailSyntax
import TestKit
import Testing

@testable import MailAuth

@Suite struct BodyCanonicalization {
    static let cases = (try? Table.blocks("canonical-bodies.txt")) ?? []

    @Test func theTableIsThere() {
        #expect(Self.cases.count > 15)
        #expect(Self.cases.allSatisfy { $0.count == 4 })
    }

    @Test(arguments: cases, Canonicalization.allCases)
    func table(block: [String], kind: Canonicalization) {
        let body = Table.octets(block[1])
        let expected = Table.octets(block[kind == .simple ? 2 : 3])
        for chunk in 1...max(1, body.count) {
            let (hash, length) = hash(body, kind, chunks: [chunk])
            #expect(hash == sha256(expected), "\(block[0]), chunks of \(chunk)")
            #expect(length == UInt64(expected.count))
        }
        #expect(canonical(body, kind) == expected)
    }

    /// Random bodies of awkward octets, in random chunks, against the definition read literally.
    @Test(arguments: Canonicalization.allCases)
    func anySplitGivesTheSameHash(kind: Canonicalization) {
        var random = SeededGenerator(seed: 7)
        let pieces: [[UInt8]] = [[13, 10], [13, 10], [32], [9], [13], [10], [97], [0], [98, 99]]
        for _ in 0..<3000 {
            let body = (0..<Int.random(in: 0...40, using: &random))
                .flatMap { _ in pieces.randomElement(using: &random) ?? [] }
            let sizes = (0..<5).map { _ in Int.random(in: 1...9, using: &random) }
            let expected = canonical(body, kind)
            let (hash, length) = hash(body, kind, chunks: sizes)
            #expect(hash == sha256(expected), "\(body) in \(sizes)")
            #expect(length == UInt64(expected.count))
        }
    }

    /// Long runs are hashed where they are, short ones are gathered: both, mixed.
    @Test(arguments: Canonicalization.allCases)
    func longBodies(kind: Canonicalization) {
        var random = SeededGenerator(seed: 9)
        var body: [UInt8] = []
        while body.count < 200_000 {
            let length = Int.random(in: 0...2000, using: &random)
            body += [UInt8](repeating: 120, count: length) + [32, 32, 9, 13, 10]
            if Bool.random(using: &random) {
                body += [UInt8](repeating: 13, count: 3) + [10]
                body += (0..<length).flatMap { _ in [13, 10] as [UInt8] }
            }
        }
        let expected = sha256(canonical(body, kind))
        for size in [1, 15, 16, 17, 4096, 65_535, 1_000_000] {
            #expect(hash(body, kind, chunks: [size]).hash == expected)
        }
    }

    @Test func aLimitTakesTheBeginning() {
        let body = Array("one  two\r\nthree\r\n\r\n".utf8)
        for kind in Canonicalization.allCases {
            let whole = canonical(body, kind)
            for limit in 0...whole.count + 2 {
                let (hash, length) = hash(body, kind, chunks: [3], limit: UInt64(limit))
                #expect(hash == sha256(Array(whole.prefix(limit))))
                #expect(length == UInt64(whole.count))
            }
        }
    }

    /// RFC 6376, section 3.5, tag "l": signatures of one message may have different ones.
    @Test(arguments: [1, 3, 4096])
    func manyLimitsOfOneBody(chunk: Int) {
        let body = Array("one  two\r\n \r\nthree\r\n\r\n".utf8)
        for kind in Canonicalization.allCases {
            let whole = canonical(body, kind)
            var hasher = BodyHasher()
            let limits = [9, 0, 3, 1000, 9, 4, whole.count]
            let tickets = limits.map { hasher.request(kind, limit: UInt64($0)) }
            let all = hasher.request(kind)
            for start in stride(from: 0, to: body.count, by: chunk) {
                hasher.update(body.span.extracting(start..<min(body.count, start + chunk)))
            }
            hasher.finish()
            for (limit, ticket) in zip(limits, tickets) {
                #expect(ticket.digest.hash == sha256(Array(whole.prefix(limit))))
            }
            #expect(all.digest.hash == sha256(whole))
        }
    }

    private func hash(
        _ body: [UInt8], _ kind: Canonicalization, chunks: [Int], limit: UInt64? = nil
    ) -> (hash: [UInt8], length: UInt64) {
        var hasher = BodyHasher()
        let ticket = hasher.request(kind, limit: limit)
        var start = 0
        var turn = 0
        while start < body.count {
            let end = min(body.count, start + chunks[turn % chunks.count])
            hasher.update(body.span.extracting(start..<end))
            start = end
            turn += 1
        }
        hasher.finish()
        return (ticket.digest.hash, hasher.length(ticket))
    }
}

@Suite struct HeaderCanonicalization {
    static let cases = (try? Table.blocks("canonical-fields.txt")) ?? []

    @Test func theTableIsThere() {
        #expect(Self.cases.count > 5)
        #expect(Self.cases.allSatisfy { $0.count == 4 })
    }

    @Test(arguments: cases, Canonicalization.allCases)
    func table(block: [String], kind: Canonicalization) throws {
        let field = Table.octets(block[1])
        let colon = try #require(field.firstIndex(of: UInt8(ascii: ":")))
        var header = HeaderSection()
        header.append(
            name: field.span.extracting(0..<colon),
            value: field.span.extracting(colon + 1..<field.count))
        var output: [UInt8] = []
        HeaderCanonicalizer.append(
            header.fields[0], of: header.bytes.span, kind, to: &output)
        let expected = Table.octets(block[kind == .simple ? 2 : 3]) + [13, 10]
        #expect(output == expected, "\(block[0])")
    }
}

/// The canonical body, line by line as the standard defines it.
private func canonical(_ body: [UInt8], _ kind: Canonicalization) -> [UInt8] {
    var lines: [[UInt8]] = [[]]
    var position = 0
    while position < body.count {
        if body[position] == 13, position + 1 < body.count, body[position + 1] == 10 {
            lines.append([])
            position += 2
        } else {
            lines[lines.count - 1].append(body[position])
            position += 1
        }
    }
    if kind == .relaxed {
        lines = lines.map { line in
            var result: [UInt8] = []
            for octet in line {
                if octet == 32 || octet == 9 {
                    if result.last != 32 { result.append(32) }
                } else {
                    result.append(octet)
                }
            }
            if result.last == 32 { result.removeLast() }
            return result
        }
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if lines.isEmpty { return kind == .simple ? [13, 10] : [] }
    return lines.flatMap { $0 + [13, 10] }
}

private func sha256(_ octets: [UInt8]) -> [UInt8] { SHA256.hash(octets.span) }
