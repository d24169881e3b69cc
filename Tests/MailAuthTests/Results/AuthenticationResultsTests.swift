import MailSyntax
import Testing

@testable import MailAuth

private func parse(_ value: String) -> AuthenticationResults {
    AuthenticationResults(parsing: Array(value.utf8).span)
}

private func write(_ results: AuthenticationResults) -> String {
    String(decoding: results.fieldValue(), as: UTF8.self)
}

@Suite struct AuthenticationResultsTests {
    // RFC 8601, appendix B.

    @Test func noResults() {
        let field = parse("example.org 1; none")
        #expect(field.authservID.text == "example.org" && field.version == 1)
        #expect(field.results.isEmpty && field.isWellFormed && field.isSupportedVersion)
    }

    @Test func severalResults() {
        let field = parse(
            """
             example.com;
                       auth=pass (cram-md5) smtp.auth=sender@example.net;
                       spf=pass smtp.mailfrom=example.net;
                       iprev=pass policy.iprev=192.0.2.200
            """)
        #expect(field.isWellFormed)
        #expect(
            field.results == [
                .auth("pass", comment: "cram-md5", user: "sender@example.net"),
                .spf("pass", mailFrom: "example.net"), .iprev("pass", address: "192.0.2.200"),
            ])
    }

    @Test func commentsEverywhere() {
        let field = parse(
            """
             foo.example.net (foobar) 1 (baz);
                dkim (Because I like it) / 1 (One yay) = (wait for it) fail
                  policy (A dot can go here) . (like that) expired
                  (this surprised me) = (as I wasn't expecting it) 1362471462
            """)
        #expect(field.authservID.text == "foo.example.net" && field.version == 1)
        #expect(field.isWellFormed)
        #expect(field.results.count == 1)
        let result = field.results[0]
        #expect(result.method == "dkim" && result.version == 1 && result.result == "fail")
        #expect(result["policy", "expired"] == "1362471462")
    }

    /// Each value, what is kept of it in canonical form, and whether it was well formed.
    private static let lenient: [(String, String, Bool)] = [
        (
            "a.example; dkim=PASS header.D=x.example", "a.example; dkim=pass header.d=x.example",
            true
        ),
        ("\"a b\" 1; spf=pass;", "\"a b\" 1; spf=pass", true),
        (
            "a.example;spf=pass reason=\"x \\\"y\\\"\" smtp.helo=h",
            "a.example; spf=pass reason=\"x \\\"y\\\"\" smtp.helo=h", true
        ),
        (
            "a.example; dkim=pass header.b=ab/c+d==", "a.example; dkim=pass header.b=\"ab/c+d==\"",
            true
        ),
        (
            "a.example; x=y policy.iprev=2001:db8::1",
            "a.example; x=y policy.iprev=\"2001:db8::1\"", true
        ),
        (
            "a.example; spf=pass smtp.mailfrom=\"a b\"@c.example",
            "a.example; spf=pass smtp.mailfrom=\"a b\"@c.example", true
        ),
        (
            "a.example; spf=pass smtp.mailfrom=\"ab\"@c.example",
            "a.example; spf=pass smtp.mailfrom=ab@c.example", true
        ),
        (
            "a.example; spf=pass smtp.mailfrom=(x) ab (y) @c.example",
            "a.example; spf=pass smtp.mailfrom=ab@c.example", true
        ),
        (
            "a.example; dkim=pass header.i=@c.example", "a.example; dkim=pass header.i=@c.example",
            true
        ),
        ("a.example; x-new/2=odd (why) x.y=z", "a.example; x-new/2=odd (why) x.y=z", true),
        // Odd, and kept as far as can be.
        (
            "spf=pass smtp.mailfrom=a.example; dkim=none",
            "\"\"; spf=pass smtp.mailfrom=a.example; dkim=none", false
        ),
        ("a.example junk; spf=pass", "a.example; spf=pass", false),
        ("a.example; junk; spf=pass", "a.example; spf=pass", false),
        ("a.example; spf=pass junk smtp.helo=h", "a.example; spf=pass smtp.helo=h", false),
        ("a.example; spf=pass action=none smtp.helo=h", "a.example; spf=pass smtp.helo=h", false),
        ("a.example; spf=pass (never ends; dkim=pass", "a.example; spf=pass", false),
        (
            "a.example; spf=pass smtp.helo=\"never ends; dkim=pass",
            "a.example; spf=pass smtp.helo=\"never ends; dkim=pass\"", false
        ),
        ("a.example; spf=pass smtp.helo=a\"b\"", "a.example; spf=pass smtp.helo=ab", false),
        ("a.example; none; spf=pass; none", "a.example; spf=pass", false),
        ("a.example; none; spf=pass", "a.example; spf=pass", false),
        ("a.example; none; none", "a.example; none", false),
        ("", "\"\"; none", false), ("a.example", "a.example; none", true),
    ]

    @Test(arguments: lenient)
    func reads(_ row: (value: String, canonical: String, isWellFormed: Bool)) {
        let field = parse(row.value)
        #expect(field.isWellFormed == row.isWellFormed)
        let text = write(field).split(separator: "\n\t").joined(separator: " ").dropFirst()
        #expect(text == row.canonical)
    }

    @Test func versions() {
        #expect(parse("a 1; none").isSupportedVersion)
        #expect(!parse("a 2; none").isSupportedVersion)
        #expect(!parse("a 99999999999999999999999999; none").isSupportedVersion)
        #expect(parse("a (2) ; none").isSupportedVersion)
    }

    @Test func whatTheDaemonsWrite() {
        let field = AuthenticationResults(
            AuthservID("mx.example.com"),
            [
                .spf("pass", mailFrom: "bounce@example.com"),
                .dkim(
                    "pass", comment: "2048-bit key; unprotected", domain: "example.com",
                    identity: "@example.com", algorithm: "rsa-sha256", selector: "mail",
                    signature: "dzdVyOfA"),
                .dmarc("pass", comment: "p=none dis=none", from: "example.com"),
            ])
        #expect(
            write(field) == """
                 mx.example.com;
                \tspf=pass smtp.mailfrom=bounce@example.com;
                \tdkim=pass (2048-bit key; unprotected) header.d=example.com
                \theader.i=@example.com header.a=rsa-sha256 header.s=mail
                \theader.b=dzdVyOfA;
                \tdmarc=pass (p=none dis=none) header.from=example.com
                """)
        #expect(
            write(AuthenticationResults(AuthservID("mx.example.com"))) == " mx.example.com; none")
        let job = AuthservID("mx.example.com").with(jobID: "4ABC")
        #expect(write(AuthenticationResults(job)) == " \"mx.example.com/4ABC\"; none")
    }

    @Test func distinguishingSignatures() {
        #expect(
            MethodResult.signaturePrefixes(of: ["abcdefghij", "short"]) == ["abcdefgh", "short"])
        #expect(
            MethodResult.signaturePrefixes(of: ["abcdefghijkl", "abcdefghijxx", "abcdefghij"])
                == ["abcdefghijk", "abcdefghijx", "abcdefghij"])
        #expect(
            MethodResult.signaturePrefixes(of: ["abcdefghijkl", "abcdefghijkl"])
                == ["abcdefgh", "abcdefgh"])
    }

    @Test func longTexts() {
        let long = String(repeating: "€", count: 2_000)
        let field = AuthenticationResults(
            AuthservID("a"),
            [
                MethodResult("x", "y", comment: long, reason: long)
                    .with("p", "long", long).with("p", "short", "z")
            ])
        let again = parse(write(field))
        #expect(again.results[0].properties == [.init("p", "short", "z")])
        #expect(again.results[0].comment?.hasSuffix("€...") ?? false)
        #expect(again.results[0].reason?.hasSuffix("€...") ?? false)
    }

    private static func isStrict(_ value: String) -> Bool {
        StrictGrammar.accepts(value.split(separator: "\n\t").joined(separator: " "))
    }

    /// Whatever an attacker puts into values, reasons and comments, the field stays in the grammar, and
    /// says what was to be said.
    @Test func nothingBreaksOut() {
        let parts = [
            "\"", "\\", "(", ")", ";", "=", "?", "=?", "?=", " ", "\r\n", "\n", "\t", "\0",
            "\u{7F}", "\u{85}",
            "\u{2028}", "é", "€", "a", "b.c", "@", "@x.example", ".", ",", "<", ">", "/", ":", "[",
            "]",
            "; dkim=pass header.d=bank.example", "\"; dkim=pass", ")", "=?utf-8?Q?=22=3B?=",
            "\"a b\"@x.example",
            "\u{1F600}", "\u{301}",
        ]
        func nasty() -> String {
            (0..<Int.random(in: 0..<8)).map { _ in parts.randomElement() ?? "" }.joined()
        }
        for _ in 0..<2_000 {
            let texts = (0..<5).map { ($0 == 0 ? "x" : "") + nasty() }
            let field = AuthenticationResults(
                AuthservID(texts[0]),
                [
                    MethodResult("dkim", "fail", comment: texts[1], reason: texts[2])
                        .with("header", "d", texts[3]).with("header", "i", texts[4]),
                    .spf("none", mailFrom: texts[4]),
                ])
            let text = write(field)
            #expect(Self.isStrict(text), "\(text.debugDescription)")
            #expect(!text.contains("=?"), "\(text.debugDescription)")
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" || $0 == "\t" })
            let again = parse(text)
            #expect(again.isWellFormed, "\(text.debugDescription)")
            #expect(again.authservID.text == printable(texts[0]))
            #expect(again.results.map(\.method) == ["dkim", "spf"])
            #expect(again.results.map(\.result) == ["fail", "none"])
            guard again.results.count == 2 else { continue }
            #expect(again.results[0].comment == printable(texts[1]))
            #expect(again.results[0].reason == printable(texts[2]))
            #expect(again.results[0].properties.count == 2)
            #expect(again.results[0]["header", "d"] == written(texts[3]))
            #expect(again.results[1]["smtp", "mailfrom"] == written(texts[4]))
            #expect(write(again) == text)
        }
    }

    /// A value as it comes back: an address in its one form (RFC 8601, section 2.2), anything else as it is.
    private func written(_ text: String) -> String {
        let text = printable(text)
        guard !ResultsText.isIdentity(text) else { return text }
        return ResultsText.identity(text).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    @Test(arguments: [
        ("a..b@example.org", "\"a..b\"@example.org"), (".a@example.org", "\".a\"@example.org"),
        ("u@s\u{FC}b.example", "u@xn--sb-xka.example"), ("a b@example.org", nil),
        ("a@b@example.org", nil), ("a@example", nil), ("a@-b.example", nil), ("a@b.example.", nil),
        ("\"a b\"@s\u{FC}b.example", "\"a b\"@xn--sb-xka.example"), ("example.org", nil),
    ]) func `an address has one form`(text: String, form: String?) {
        #expect(ResultsText.identity(text).map { String(decoding: $0, as: UTF8.self) } == form)
    }

    private func printable(_ text: String) -> String {
        let controls: (Unicode.Scalar) -> Bool = {
            $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0 == "\u{2028}"
                || $0 == "\u{2029}"
        }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { controls($0) ? "?" : $0 }))
    }

    /// Any bytes: no trap; and what was read is written in the grammar.
    @Test func randomBytes() {
        let alphabet = Array("ab.;=()\"\\/@ \t\r\n\u{0}1é?".utf8)
        for _ in 0..<20_000 {
            let value = (0..<Int.random(in: 0..<40)).compactMap { _ in alphabet.randomElement() }
            let field = AuthenticationResults(parsing: value.span)
            let text = write(field)
            #expect(Self.isStrict(text), "\(text.debugDescription)")
            _ = AuthenticationResults.claims(value.span, AuthservID("a.b"))
        }
    }

    /// RFC 8601, section 2.2: an identity is written as one, or not at all.
    @Test func `an identity that would name another is left out`() {
        func identity(_ text: String) -> String? {
            MethodResult.dkim("pass", domain: "example.org", identity: text)["header", "i"]
        }
        #expect(identity("@example.org") == "@example.org")
        #expect(identity("a b@example.org") == nil)
        #expect(identity("\u{85}x@example.org") == nil)
        #expect(identity("\u{202E}x@example.org") == nil)
        #expect(identity("@a_b.example") == nil)
        #expect(identity("ü@example.org") == "ü@example.org")
    }
}
