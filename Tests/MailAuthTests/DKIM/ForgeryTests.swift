import MailAuth
import MailCrypto
import MailSyntax
import Testing

/// Messages that say something else than what was signed, or let readers see something else: none passes.
@Suite struct Forgeries {
    private static let text =
        "From: Ann <ann@example.org>\nTo: bob@example.net\nTo: carol@example.net\n"
        + "Subject: Hello  you,\n my friend\nX-Note: a;b=AAAA; h=from\n\nPay\tBob  10.\n\nAnn\n"

    /// A way to change a signed message; the signature's own field is the first.
    struct Forgery: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Whether relaxed canonicalization cannot see it, so that only simple does.
        var isRelaxed = false
        let change: @Sendable (String) -> String

        init(
            _ testDescription: String, relaxed isRelaxed: Bool = false,
            _ change: @escaping @Sendable (String) -> String
        ) {
            self.testDescription = testDescription
            self.isRelaxed = isRelaxed
            self.change = change
        }

        static func replacing(
            _ name: String, relaxed: Bool = false, _ old: String, _ new: String
        ) -> Forgery {
            Forgery(name, relaxed: relaxed) { $0.replacing(old, with: new, maxReplacements: 1) }
        }
    }

    static let forgeries: [Forgery] = [
        // More fields than were signed.
        Forgery("a From above") { "From: eve@example.com\r\n" + $0 },
        Forgery("a From with space before the colon") { "From \t: eve@example.com\r\n" + $0 },
        Forgery("a From in capitals") { "FROM:eve@example.com\r\n" + $0 },
        .replacing("a From below", "X-Note:", "from: eve@example.com\r\nX-Note:"),
        .replacing("an empty From below", "X-Note:", "From:\r\nX-Note:"),
        Forgery("a Subject above, oversigned") { "Subject: Lost\r\n" + $0 },
        Forgery("a Reply-To, which was signed as absent") { "Reply-To: eve@example.com\r\n" + $0 },
        .replacing("a third To", "\r\nSubject:", "\r\nTo: eve@example.com\r\nSubject:"),
        // Fewer, and others.
        .replacing("no Subject", "Subject: Hello  you,\r\n my friend\r\n", ""),
        .replacing("no upper To", "To: bob@example.net\r\n", ""),
        .replacing("one To in two", "To: carol", "To:\r\nTo: carol"),
        .replacing(
            "Tos in another order",
            "To: bob@example.net\r\nTo: carol@example.net",
            "To: carol@example.net\r\nTo: bob@example.net"),
        .replacing("another name for a field", "\r\nSubject:", "\r\nX-Subject:"),
        .replacing("a second colon", "\r\nSubject:", "\r\nSubject::"),
        .replacing("a field in the body", "\r\nSubject:", "\r\n\r\nSubject:"),
        // White space that is none.
        .replacing("a lone CR for a fold", "you,\r\n my", "you,\r my"),
        .replacing("a CR before a fold", "you,\r\n", "you,\r\r\n"),
        .replacing("a vertical tab for a space", "Hello  you", "Hello \u{B}you"),
        .replacing("a no-break space for a space", "Hello  you", "Hello\u{A0}you"),
        .replacing("a NUL at the end", "my friend", "my friend\0"),
        .replacing("a space within a word", "Hello", "Hel lo"),
        .replacing("no space between words", "Hello  you", "Helloyou"),
        .replacing("another case of a value", "Hello", "hello"),
        // White space that only simple canonicalization sees.
        .replacing("another fold", relaxed: true, "Hello  you", "Hello\r\n\tyou"),
        .replacing("space at the end of a field", relaxed: true, "my friend", "my friend \t"),
        .replacing("a fold at the end of a field", relaxed: true, "my friend", "my friend\r\n "),
        .replacing("space before the colon", relaxed: true, "\r\nSubject:", "\r\nSubject :"),
        .replacing("another case of a name", relaxed: true, "\r\nSubject:", "\r\nsUBJECT:"),
        .replacing("space at the end of a line", relaxed: true, "Ann\r\n", "Ann \r\n"),
        .replacing("less space within a line", relaxed: true, "Bob  10", "Bob 10"),
        // The body.
        .replacing("a character in the body", "10", "100"),
        Forgery("a line more") { $0 + "Eve\r\n" },
        Forgery("white space and text after the end") { $0 + "\r\n\r\n.\r\n" },
        .replacing("an empty line less within", "\r\n\r\nAnn", "\r\nAnn"),
        .replacing("an empty line first", "\r\n\r\nPay", "\r\n\r\n\r\nPay"),
        .replacing("a lone LF for a line end", "10.\r\n", "10.\n"),
        .replacing("a lone CR at the end of a line", "10.\r\n", "10.\r\r\n"),
        .replacing("a tab for nothing", "Pay\t", "Pay"),
        .replacing("a NUL in the body", "Ann\r\n", "Ann\0\r\n"),
        // The signature field.
        .replacing("a tag more", "v=1;", "v=1; l=3;"),
        .replacing("an unknown tag more", "v=1;", "v=1; zz=;"),
        .replacing("a tag behind b=", "; b=", "; l=3; b="),
        .replacing("b= twice", "v=1;", "v=1; b=AAAA;"),
        .replacing("an empty b= in front", "v=1;", "v=1; b=;"),
        .replacing("a B=", "v=1;", "v=1; B=AAAA;"),
        .replacing("something like b= in a value", "n=b=BBBB", "n=b=CCCC"),
        .replacing("something like b= emptied", "n=b=BBBB", "n=b="),
        .replacing("a name less in h=", "Subject:subject:", "Subject:"),
        .replacing("an empty name in h=", "Subject:subject:", "Subject::subject:"),
        .replacing("another case in h=", "Subject:subject:", "subject:subject:"),
        .replacing("the other canonicalization", "c=relaxed/", "c=simple/"),
        .replacing("the other canonicalization of the body", "/relaxed", "/simple"),
        .replacing("another signer", "d=example.org", "d=example.net"),
        .replacing("a parent as signer", "d=example.org", "d=org"),
        .replacing("an identity", "v=1;", "v=1; i=eve@example.org;"),
        .replacing("a later end", "x=1700000100", "x=1800000000"),
        .replacing("no end", "x=1700000100;", ""),
        .replacing("another name for the field", "DKIM-Signature:", "X-DKIM-Signature:"),
    ]

    private static func signed(
        _ key: PrivateKey, _ kind: Canonicalization
    ) throws -> TestMessage {
        var forge = Forge(try TestMessage(text, ""))
        forge.set([
            ("a", SignatureAlgorithm(key.algorithm).rawValue),
            ("c", "\(kind.rawValue)/\(kind.rawValue)"), ("n", "b=BBBB"), ("x", "1700000100"),
            ("h", "from:From:Subject:subject:To:to:To:Reply-To:DKIM-Signature"),
        ])
        return try forge.signed(with: key)
    }

    @Test(arguments: forgeries, Canonicalization.allCases)
    func doNotPass(forgery: Forgery, kind: Canonicalization) throws {
        for key in TestKeys.all {
            let original = try Self.signed(key, kind)
            #expect(verify(original, record: key.record).status == .pass)
            // Latin-1 keeps each octet a character, whatever it is.
            let text = String(String.UnicodeScalarView(original.bytes.map { Unicode.Scalar($0) }))
            let changed = forgery.change(text)
            if changed == text {
                // A change of what only the other canonicalization's signature has.
                #expect(forgery.testDescription.contains("other canonicalization"))
                continue
            }
            let octets = changed.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            let message = try TestMessage(verbatim: octets)
            let isPass = verify(message, record: key.record).status == .pass
            #expect(isPass == (forgery.isRelaxed && kind == .relaxed))
        }
    }

    /// Fields as a milter is given them, which no message file could hold.
    @Test(arguments: Canonicalization.allCases)
    func fieldsOfAMilter(kind: Canonicalization) throws {
        let key = try #require(TestKeys.ed25519)
        let original = try Self.signed(key, kind)
        let subjects = [
            " Hello  you,\n my friend": true, " Hello  you,\r\n my friend": true,
            " Hello  you,\n my friend\n": false, " Hello  you,\n my friend\r": false,
            " Hello  you,\n my friend\nFrom: eve@example.com": false,
            " Hello  you,\n my friend\n\nPay Eve": false, " Hello  you,\rmy friend": false,
            " Hello  you,\n\n my friend": false, " Hello  you,\nmy friend": false,
        ]
        for (subject, passes) in subjects {
            var header = HeaderSection()
            for position in original.header.fields.indices {
                let name = Array(original.header.name(of: position))
                let isSubject = name.elementsEqual("Subject".utf8)
                header.append(
                    name: name,
                    value: isSubject
                        ? Array(subject.utf8) : Array(original.header.value(of: position)))
            }
            var message = original
            message.header = header
            #expect((verify(message, record: key.record).status == .pass) == passes, "\(subject)")
        }
    }

    /// Good signatures that must not count all the same.
    @Test(arguments: [
        [("d", "org")], [("d", "example.org.")], [("d", "."), ("s", "test")],
        [("d", "example..org")],
        [("d", "example.org"), ("i", "@example.org.")], [("i", "@org")], [("i", "@")],
        [("i", "@notexample.org")], [("i", "ann@example.org@example.net")],
        [("i", "eve@example.net@example.org")], [("i", "<eve@example.net>@example.org")],
        [("i", "\"eve\"@example.net\"@example.org")],
        [("i", "@b\u{FC}cher.example")], [("i", "@example.org=2Eexample.net")],
        [("i", "@ex=C2=ADample.org")], [("i", "@example\u{3002}org")], [("i", "@sub..example.org")],
        [("i", "@su(b).example.org")], [("i", "=00@example.org")], [("i", "a=0D=0Ab@example.org")],
        [("h", "Subject")], [("h", "From:")], [("h", ":From")], [("h", "Fro m")], [("h", "")],
        [("h", "From;Subject")], [("h", "From\u{A0}")], [("s", "")], [("s", "te st")],
        [("b", "")], [("bh", "")], [("v", "1 1")], [("l", "-1")], [("l", "1 0")], [("l", "")],
        [("t", "1700000000x")], [("x", "0")], [("a", "")], [("c", "")], [("q", "")],
    ])
    func tagsThatAreWrong(tags: [(String, String)]) throws {
        let key = try #require(TestKeys.ed25519)
        var forge = Forge(try TestMessage(Self.text, ""))
        forge.set([("a", "ed25519-sha256")] + tags)
        let outcome = verify(try forge.signed(with: key), record: key.record)
        #expect(outcome.status != .pass)
        #expect(outcome.results.count == 1)
    }

    @Test(arguments: [
        ("ann@example.org", nil), ("\"ann b\"=20@example.org", "i"),
        ("\"a@b\"@sub.example.org", nil),
        ("ann..b.@example.org", nil), ("=61nn=40EXAMPLE.org", nil), ("\"a\\\"b\"@example.org", nil),
    ])
    func identities(identity: String, wrong: String?) throws {
        let key = try #require(TestKeys.ed25519)
        var forge = Forge(try TestMessage(Self.text, ""))
        forge.set([("a", "ed25519-sha256"), ("i", identity)])
        let result = try #require(
            verify(try forge.signed(with: key), record: key.record).results.first)
        let expected = wrong.map { DKIMReason.signatureField(.malformedTag($0)) } ?? .valid
        #expect(result.reason == expected)
    }

    /// Records beside the good one, or in its place.
    @Test func recordsThatAreWrong() throws {
        let key = try #require(TestKeys.rsa)
        let signed = try Self.signed(key, .relaxed)
        let data = Base64.encode(key.publicKey.recordOctets)
        for record in [
            "v=DKIM1; p=\(data); p=\(data)", "v=DKIM1.0; p=\(data)", "v=dkim1; p=\(data)",
            "p=\(data); v=DKIM1", "k=; p=\(data)", "k=ed25519; p=\(data)", "h=sha1; p=\(data)",
            "h=; p=\(data)", "s=web; p=\(data)", "s=; p=\(data)", "P=\(data)", "p=\(data)=",
            "p=\(data)AAAA", "p=; n=p=\(data)", ";p=\(data)", "p=\(data);;", "v=DKIM1 p=\(data)",
            "p=\(data.dropLast(8))", "p=\(data.replacing("A", with: "*"))",
        ] {
            let result = try #require(verify(signed, record: record).results.first)
            #expect(result.status != .pass, "\(record.prefix(40))")
        }
    }
}
