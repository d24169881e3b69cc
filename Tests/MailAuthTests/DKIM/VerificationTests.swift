import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import Testing

@Suite struct Verification {
    static let cases = (try? Table.blocks("signatures.txt")) ?? []
    static let keyName =
        (try? DomainName("test._domainkey.example.org")) ?? DomainName.root
    static let text = "From: ann@example.org\nSubject: Hello\nTo: bob@example.net\n\nHello you.\n"

    @Test func theTableIsThere() {
        #expect(Self.cases.count > 60)
        #expect(Self.cases.allSatisfy { $0.count == 4 })
    }

    @Test(arguments: cases)
    func table(block: [String]) throws {
        let changes = Self.tags(block[1])
        let isEd25519 = (block[1] + block[2]).contains("ed25519")
        let signer = try #require(block[1].contains("ed25519") ? TestKeys.ed25519 : TestKeys.rsa)
        let published = try #require(
            isEd25519 && block[2].contains("ed25519") ? TestKeys.ed25519 : TestKeys.rsa)
        var forge = Forge(try TestMessage(Self.text, block[0]))
        forge.set(changes)
        let signed = try forge.signed(with: signer)
        let outcome = verify(signed, Self.zone(block[2], published))
        let result = try #require(outcome.results.first)
        #expect("\(result.status.rawValue) \(result.reason)" == block[3])
        #expect(outcome.results.count == 1)
        #expect(outcome.ignoredSignatures == 0)
    }

    private static func tags(_ line: String) -> [(name: String, value: String)] {
        guard line != "-", line != "none" else { return [] }
        return line.split(separator: ";").compactMap { tag in
            guard let equals = tag.firstIndex(of: "=") else { return nil }
            let name = tag[..<equals].drop { $0 == " " }
            return (String(name), String(tag[tag.index(after: equals)...]))
        }
    }

    private static func zone(_ line: String, _ key: PrivateKey) -> [String: [[UInt8]]] {
        guard line != "none" else { return [:] }
        var record = [("v", "DKIM1"), ("p", Base64.encode(key.publicKey.recordOctets))]
        for (name, value) in tags(line) {
            let position = record.firstIndex { $0.0 == name }
            if let position, value == "absent" {
                record.remove(at: position)
            } else if let position {
                record[position].1 = value
            } else {
                record.append((name, value))
            }
        }
        let text = record.map { "\($0)=\($1)" }.joined(separator: "; ")
        return ["test._domainkey.example.org": [Array(text.utf8)]]
    }

    /// RFC 8601, section 2.2: an email identity MUST have the form `[ [ local-part ] "@" ] domain-name`.
    @Test(arguments: [
        ("a..b@example.org", "\"a..b\"@example.org"),
        (".a@example.org", "\".a\"@example.org"),
        ("a=3D=3Fb@example.org", "\"a=\\?b\"@example.org"),
        ("u@s=C3=BCb.example.org", "u@xn--sb-xka.example.org"),
        ("\"a=20b\"@example.org", "\"a b\"@example.org"),
        ("j=C3=B6@example.org", "jö@example.org"),
        ("@example.org", "@example.org"),
    ]) func identitiesAreReportedAsSuch(tag: String, reported: String) throws {
        var forge = Forge(try TestMessage(Self.text, tag))
        forge.set([("i", tag)])
        let key = try #require(TestKeys.rsa)
        let outcome = verify(try forge.signed(with: key), Self.zone("-", key))
        let result = try #require(outcome.results.first)
        #expect(result.status == .pass)
        let field = AuthenticationResults(AuthservID("mx.example"), [.dkim(result)]).fieldValue()
        let text = String(decoding: field, as: UTF8.self)
        #expect(text.contains("header.i=\(reported)\n") || text.contains("header.i=\(reported) "))
    }

    /// RFC 6376, section 8.15: what a second field of a name shows was not signed.
    @Test(arguments: ["Subject: other", "SUBJECT : other", "subject:"])
    func unsignedDuplicatesArePolicy(field: String) throws {
        let key = try #require(TestKeys.rsa)
        let once = try Forge(try TestMessage(Self.text, "once")).signed(with: key)
        let zone = Self.zone("-", key)
        #expect(verify(once, zone).status == .pass)
        let twice = try TestMessage(Array("\(field)\r\n".utf8) + once.bytes, field)
        let result = try #require(verify(twice, zone).results.first)
        #expect(result.reason == .unsignedDuplicate("Subject") && result.status == .policy)
        var options = DKIMVerifierOptions()
        options.singletonFields = ["To"]
        #expect(verify(twice, zone, options: options).status == .pass)
        let same = try TestMessage(Array("subject:  Hello\r\n".utf8) + once.bytes, "the same")
        #expect(verify(same, zone).status == .pass)
        // Nothing was said of either of two fields that are not signed, and two that are signed are signed.
        let unsigned = try TestMessage(Array("To: eve@example.net\r\n".utf8) + once.bytes, "To")
        #expect(verify(unsigned, zone).status == .pass)
        var forge = Forge(try TestMessage("Subject: first\n" + Self.text, "both"))
        forge.set([("h", "From:Subject:Subject")])
        #expect(verify(try forge.signed(with: key), zone).status == .pass)
    }

    @Test func shortKeysArePolicy() throws {
        let key = try PrivateKey.generateRSA(bits: 1024)
        let signed = try Forge(try TestMessage(Self.text, "")).signed(with: key)
        var options = DKIMVerifierOptions()
        #expect(verify(signed, record: key.record).status == .pass)
        options.minimumKeyBits = 2048
        let zone = ["test._domainkey.example.org": [Array(key.record.utf8)]]
        let result = try #require(verify(signed, zone, options: options).results.first)
        #expect(result.status == .policy)
        #expect(result.reason == .keyTooShort(bits: 1024, minimum: 2048))
        #expect(result.keyBits == 1024)
    }

    /// Each key that is tried costs the receiver a public-key operation.
    @Test func twoKeysAreTried() throws {
        let key = try #require(TestKeys.rsa)
        let signed = try Forge(try TestMessage(Self.text, "")).signed(with: key)
        let others = try (0..<2).map { _ in try PrivateKey.generateRSA(bits: 1024).record }
        for (count, isValid) in [(1, true), (2, false)] {
            let records = (others.prefix(count) + [key.record]).map { Array($0.utf8) }
            let outcome = verify(signed, ["test._domainkey.example.org": records])
            #expect((outcome.status == .pass) == isValid)
        }
    }

    @Test func severalRecordsAreTriedInTurn() throws {
        let key = try #require(TestKeys.rsa)
        let signed = try Forge(try TestMessage(Self.text, "")).signed(with: key)
        let other = try PrivateKey.generateRSA(bits: 1024).record
        let records = ["v=spf1 -all", other, key.record].map { Array($0.utf8) }
        let outcome = verify(signed, ["test._domainkey.example.org": records])
        #expect(outcome.results.map(\.reason) == [.valid])
    }

    @Test func answersOfTheDNS() throws {
        let key = try #require(TestKeys.rsa)
        let signed = try Forge(try TestMessage(Self.text, "")).signed(with: key)
        let record = Array(key.record.utf8)
        let split = [Array(record[..<100]), Array(record[100...])]
        let cases: [(DNSAnswer?, DKIMReason)] = [
            (nil, .dns(.timeout)),
            (.failure(.serverFailure(responseCode: 2)), .dns(.serverFailure(responseCode: 2))),
            (.failure(.bogus(reason: "x")), .dns(.bogus(reason: "x"))),
            (.nameError(.secure), .noKey(Self.keyName, exists: false)),
            (.noData(.insecure), .noKey(Self.keyName, exists: true)),
            (.records([], .insecure), .noKey(Self.keyName, exists: true)),
            (.records([.text([])], .insecure), .keyRecord(.tagList(.empty))),
            (.records([.text(split)], .secure), .valid),
            (
                .records([.text([[UInt8](repeating: 97, count: 60_000)])], .insecure),
                .keyRecord(.tooLong(octets: 60_000))
            ),
        ]
        for (answer, reason) in cases {
            var verifier = DKIMVerifier(header: signed.header, now: 1_700_000_000)
            let questions = verifier.questions
            #expect(questions.map(\.name.ascii) == ["test._domainkey.example.org"])
            if let answer, let question = questions.first { verifier.answer(question, answer) }
            verifier.update(signed.body.span)
            let outcome = verifier.finish(keys: testCache)
            #expect(outcome.results.map(\.reason) == [reason])
            #expect(outcome.results.first?.isKeySecure == (reason == .valid))
        }
    }

    @Test(arguments: ["From: a@example.org\n", "from : b@example.org\n"])
    func severalFromFields(extra: String) throws {
        let key = try #require(TestKeys.rsa)
        let message = try TestMessage(Self.text, "")
        let signed = try Forge(message).signed(with: key)
        let twice = try TestMessage(Array(extra.utf8) + signed.bytes, "")
        let result = try #require(verify(twice, record: key.record).results.first)
        #expect(result.reason == .fromFields(2))
        #expect(result.status == .permerror)
        #expect(result.domain?.ascii == "example.org")
    }

    @Test func noFromField() throws {
        let key = try #require(TestKeys.rsa)
        var forge = Forge(try TestMessage("Subject: Hello\n\nHi\n", ""))
        forge.set([("h", "From:Subject")])
        let outcome = verify(try forge.signed(with: key), record: key.record)
        #expect(outcome.results.map(\.reason) == [.fromFields(0)])
    }

    @Test func aSignedFieldWithNULNeverPasses() throws {
        let key = try #require(TestKeys.rsa)
        let message = try TestMessage(Self.text.replacing("Hello\n", with: "Hello\0evil\n"), "")
        let signed = try Forge(message).signed(with: key)
        let result = try #require(verify(signed, record: key.record).results.first)
        #expect(result.reason == .nulInField("Subject"))
        #expect(result.status != .pass)
    }

    /// What libmilter hands over ends at the first NUL: a caller that knows says so.
    @Test func aTruncatedFieldNeverPasses() throws {
        let key = try #require(TestKeys.rsa)
        let signed = try Forge(try TestMessage(Self.text, "")).signed(with: key)
        let record = DNSAnswer.records([.text([Array(key.record.utf8)])], .insecure)
        // The signature, From, Subject; To is not signed.
        for (position, passes) in [(0, false), (1, false), (2, false), (3, true)] {
            var verifier = DKIMVerifier(
                header: signed.header, now: 1_700_000_000, truncatedFields: [position])
            for question in verifier.questions { verifier.answer(question, record) }
            verifier.update(signed.body.span)
            #expect((verifier.finish(keys: testCache).status == .pass) == passes)
        }
    }

    @Test func testingAndIdentityAreReported() throws {
        let key = try #require(TestKeys.rsa)
        var forge = Forge(try TestMessage(Self.text, ""))
        forge.set([("i", "ann@sub.example.org")])
        let signed = try forge.signed(with: key)
        let result = try #require(verify(signed, record: key.record + "; t=y").results.first)
        #expect(result.status == .pass)
        #expect(result.isTesting)
        #expect(result.identity == "ann@sub.example.org")
        #expect(result.selector?.ascii == "test")
        #expect(result.algorithm == .rsaSHA256)
        #expect(result.signaturePrefix.count == 8)
    }

    /// RFC 8616, section 5: U-labels in d= are looked up as A-labels and hashed as they are.
    @Test func internationalDomains() throws {
        let key = try #require(TestKeys.ed25519)
        var forge = Forge(try TestMessage(Self.text, ""))
        forge.set([
            ("a", "ed25519-sha256"), ("d", "b\u{FC}cher.example"),
            ("i", "j\u{F6}@b\u{FC}cher.example"),
        ])
        let signed = try forge.signed(with: key)
        let zone = ["test._domainkey.xn--bcher-kva.example": [Array(key.record.utf8)]]
        let outcome = verify(signed, zone)
        #expect(outcome.results.map(\.reason) == [.valid])
    }

    @Test func theChangedFieldIsNamed() throws {
        let key = try #require(TestKeys.rsa)
        var recipe = SigningRecipe()
        recipe.copiesFields = true
        let message = try TestMessage(Self.text, "")
        let field = try #require(try sign(message, [key], recipe).first)
        let changed = try TestMessage(
            String(decoding: try message.adding(field).bytes, as: UTF8.self)
                .replacing("Subject: Hello", with: "Subject: [list] Hello"), "")
        let outcome = verify(changed, record: key.record)
        #expect(outcome.results.map(\.reason) == [.headerChanged(field: "Subject")])
        let intact = verify(try message.adding(field), record: key.record)
        #expect(intact.status == .pass)
    }

    @Test func oversigningForbidsASecondField() throws {
        let key = try #require(TestKeys.rsa)
        var recipe = SigningRecipe()
        recipe.oversignedFields = [.from, .subject]
        let message = try TestMessage(Self.text, "")
        let signed = try message.adding(try #require(try sign(message, [key], recipe).first))
        let more = try TestMessage(Array("Subject: other\n".utf8) + signed.bytes, "")
        #expect(
            verify(more, record: key.record).results.map(\.reason) == [.headerChanged(field: nil)])
    }
}
