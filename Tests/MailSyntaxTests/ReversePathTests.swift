import MailSyntax
import Testing

@Suite struct ReversePathTests {
    private static let paths: [(String, String)] = [
        ("<>", ""), ("", ""), (" <> ", ""), ("<> SIZE=1", ""),
        ("<a@b.example>", "a@b.example"), ("a@b.example", "a@b.example"),
        ("<A@B.Example>", "A@b.example"), (" <a@b.example> SIZE=100 BODY=8BITMIME", "a@b.example"),
        ("a@b.example SIZE=100 SMTPUTF8", "a@b.example"),
        ("<\"a b\"@c.example>", "\"a b\"@c.example"),
        ("<\"a\\@b\"@c.example>", "\"a@b\"@c.example"),
        ("<\"a>b\"@c.example>", "\"a>b\"@c.example"), ("<\"ab\"@c.example>", "ab@c.example"),
        ("<@x.example,@y.example:a@b.example>", "a@b.example"),
        ("@x.example:a@b.example", "a@b.example"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]"), ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ("<Postmaster>", "Postmaster"), ("root", "root"),
        ("<zoë@bücher.example>", "zoë@xn--bcher-kva.example"),
        ("<a..b.@c.example>", "\"a..b.\"@c.example"), ("<a@b.example.>", "a@b.example"),
        ("<a+b=c.example@d.example>", "a+b=c.example@d.example"),
        // Addresses in Postfix's internal form.
        ("a b@c.example", "\"a b\"@c.example"), ("a@b@c.example", "\"a@b\"@c.example"),
        ("a@b c@d.example", "\"a@b c\"@d.example"),
    ]

    @Test(arguments: paths)
    func reads(_ row: (text: String, expected: String)) throws {
        let path = try ReversePath(parsing: Array(row.text.utf8).span)
        #expect(path.text == row.expected)
        #expect((path == .null) == row.expected.isEmpty)
        #expect(try ReversePath(parsing: Array(path.text.utf8).span) == path)
    }

    private static let refused: [(String, EnvelopePathError)] = [
        ("<a@b.example", .unbalancedAngle), ("<", .missingLocalPart),
        ("<a@b.example>x", .trailingText),
        ("<>x", .trailingText), ("<a@b.example c>", .trailingText),
        ("<a b@c.example>", .invalidLocalPart),
        ("<a@b@c.example>", .trailingText), ("<\"a@b.example>", .unbalancedQuote),
        ("<\"a\\", .unbalancedQuote), ("<@b.example>", .invalidRoute),
        ("<@b.example,a@c.example>", .invalidRoute),
        ("@b.example", .missingLocalPart), ("<a@>", .missingDomain), ("a@", .missingDomain),
        ("<a@b..example>", .invalidDomain), ("<a@[]>", .invalidDomain), ("<a@[1>", .invalidDomain),
        ("<a@[1 2]>", .invalidDomain),
        ("<a\0@b.example>", .controlCharacter), ("<a@b.example>\r\nRCPT TO:<x>", .controlCharacter),
        ("<" + String(repeating: "a", count: 5_000) + "@b.example>", .tooLong),
    ]

    @Test(arguments: refused)
    func refuses(_ row: (text: String, error: EnvelopePathError)) {
        #expect(throws: row.error) { try ReversePath(parsing: Array(row.text.utf8).span) }
    }

    @Test func octetsOutsideUTF8() throws {
        let path = try ReversePath(parsing: ([0x3C, 0xFF] + Array("@b.example>".utf8)).span)
        #expect(path.mailbox?.localPart == [0xFF])
        #expect(path.domain?.ascii == "b.example")
    }

    @Test func forwardPaths() throws {
        func form(_ text: String) throws -> String {
            try EnvelopeAddress(forwardPath: Array(text.utf8).span).comparisonForm
        }
        #expect(try form("<A.B@Example.COM> NOTIFY=NEVER") == form("a.b@example.com"))
        #expect(try form("<\"A.B\"@Example.COM>") == "a.b@example.com")
        #expect(throws: EnvelopePathError.missingLocalPart) { try form("<>") }
    }

    @Test func randomBytes() {
        let alphabet = Array("ab.@<>\"\\,:[] é=".utf8)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<16)).compactMap { _ in alphabet.randomElement() }
            guard let path = try? ReversePath(parsing: text.span), let address = path.mailbox,
                address.host != nil
            else { continue }
            // Octets that are not UTF-8 do not survive in text.
            guard String(validating: address.localPart, as: UTF8.self) != nil else { continue }
            let again = try? ReversePath(parsing: Array("<\(path.text)>".utf8).span)
            #expect(again == path, "\(text)")
        }
    }
}
