import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import TestKit
import Testing

@Suite struct HostileMessages {
    private static let text = "From: ann@example.org\nSubject: Hello  you\n\nHello  you.\n\n"

    /// Any changed octet of what is signed, in the field or the message: never a pass.
    @Test(arguments: TestKeys.all, Canonicalization.allCases)
    func noChangedOctetPasses(key: PrivateKey, kind: Canonicalization) throws {
        var recipe = SigningRecipe()
        recipe.canonicalization = CanonicalizationPair(header: kind, body: kind)
        let message = try TestMessage(Self.text, "")
        let signed = try message.adding(try #require(try sign(message, [key], recipe).first))
        #expect(verify(signed, record: key.record).status == .pass)
        let bytes = signed.bytes
        // Not in b=, the last tag: its last characters may differ in bits that mean nothing.
        let field = signed.header.fields[0].whole
        let mark = Array("b=".utf8)
        let signature = try #require(field.last { bytes[$0...].starts(with: mark) })
        for position in bytes.indices where !(signature..<field.upperBound).contains(position) {
            for replacement in [UInt8(ascii: "q"), bytes[position] ^ 0x80, bytes[position] &+ 1]
            where replacement != bytes[position] {
                var changed = bytes
                changed[position] = replacement
                let outcome = verify(try TestMessage(changed, ""), record: key.record)
                #expect(outcome.status != .pass, "octet \(position) is \(replacement)")
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func manyFieldsAndNames() throws {
        let key = try #require(TestKeys.rsa)
        var header = HeaderSection(limits: .greatest)
        let names = "from:" + (0..<990).map { "x-\($0 % 300)" }.joined(separator: ":")
        let tooMany = "from:" + repeatElement("to", count: 30_000).joined(separator: ":")
        for index in 0..<8 {
            let list = index < 4 ? names : tooMany
            header.append(
                name: "DKIM-Signature",
                value:
                    " v=1; a=rsa-sha256; d=example.org; s=test; h=\(list); bh=\(Self.bodyHash); b=AAAA"
            )
        }
        header.append(name: "From", value: " ann@example.org")
        for index in 0..<200_000 { header.append(name: "X-\(index % 300)", value: " \(index)") }
        var verifier = DKIMVerifier(header: header, now: 0)
        let questions = verifier.questions
        #expect(questions.count == 1)
        for question in questions {
            verifier.answer(question, .records([.text([Array(key.record.utf8)])], .insecure))
        }
        let outcome = verifier.finish(keys: testCache)
        #expect(outcome.results.prefix(4).allSatisfy { $0.reason == .otherKey })
        #expect(
            outcome.results.dropFirst(4).allSatisfy {
                $0.reason == .signatureField(.tooManyNames)
            })
    }

    /// The hash of an empty body in simple form (RFC 6376, section 3.4.3).
    private static let bodyHash = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="

    @Test(.timeLimit(.minutes(5)))
    func tenThousandSignatures() throws {
        let key = try #require(TestKeys.rsa)
        let message = try TestMessage(Self.text, "")
        let good = try message.adding(try #require(try sign(message, [key], SigningRecipe()).first))
        var header = HeaderSection(limits: .greatest)
        for index in 0..<10_000 {
            header.append(
                name: "DKIM-Signature",
                value: " v=1; a=rsa-sha256; d=d\(index).example; s=s; h=from; bh=AAAA; b=\(index)")
            // The author's own signature stands low, among the first hundred.
            if index == 90 {
                header.append(
                    name: "DKIM-Signature",
                    value: String(decoding: good.header.value(of: 0), as: UTF8.self))
            }
        }
        for index in message.header.fields.indices {
            header.append(
                name: String(decoding: message.header.name(of: index), as: UTF8.self),
                value: String(decoding: message.header.value(of: index), as: UTF8.self))
        }
        var large = message
        large.header = header
        let zone = ["test._domainkey.example.org": [Array(key.record.utf8)]]
        let outcome = verify(large, zone, authors: [try DomainName("example.org")])
        #expect(outcome.results.count == 8)
        #expect(outcome.ignoredSignatures == 9_993)
        #expect(outcome.status == .pass)
        #expect(outcome.results.last?.fieldPosition == 91)
    }

    @Test func anIncompleteHeaderSectionNeverPasses() throws {
        let key = try #require(TestKeys.rsa)
        let message = try TestMessage(Self.text, "")
        let signed = try message.adding(
            try #require(try sign(message, [key], SigningRecipe()).first))
        var header = HeaderSection(limits: .init(fields: 3))
        for index in signed.header.fields.indices {
            header.append(
                name: signed.header.bytes.span.extracting(signed.header.fields[index].name),
                value: signed.header.bytes.span.extracting(signed.header.fields[index].value))
        }
        header.append(name: "From", value: " mallory@example.com")
        var cut = signed
        cut.header = header
        #expect(verify(cut, record: key.record).results.map(\.reason) == [.headerTooLarge])
    }

    /// Any noise in the field: a verdict, and never a pass.
    @Test func noiseInTheField() throws {
        let key = try #require(TestKeys.ed25519)
        let message = try TestMessage(Self.text, "")
        let signed = try message.adding(
            try #require(try sign(message, [key], SigningRecipe()).first))
        let field = Array(signed.header.value(of: 0))
        var random = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            var noisy = field
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let start = Int.random(in: 0..<noisy.count, using: &random)
                let end = min(noisy.count, start + Int.random(in: 0...20, using: &random))
                let noise = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                noisy.replaceSubrange(start..<end, with: noise)
                if noisy.isEmpty { noisy = [32] }
            }
            var header = HeaderSection()
            header.append(name: Array("DKIM-Signature".utf8).span, value: noisy.span)
            for index in message.header.fields.indices {
                header.append(
                    name: message.header.bytes.span.extracting(message.header.fields[index].name),
                    value: message.header.bytes.span.extracting(message.header.fields[index].value))
            }
            var changed = message
            changed.header = header
            let outcome = verify(changed, record: key.record)
            #expect(outcome.results.count == 1)
            if outcome.status == .pass {
                // Only white space and what base64 disregards may have changed.
                #expect(noisy.filter { !$0.isFoldingSpace }.count <= field.count)
            }
        }
    }
}
