import MailCrypto
import MailSyntax
import Testing

@testable import MailAuth

/// Where text was added below a signed body.
@Suite struct BodyAdditionsTests {
    /// A signature's value for a body.
    private static func signature(
        _ body: String, _ kind: Canonicalization, _ more: String = ""
    ) -> ArraySlice<UInt8> {
        var hasher = BodyHasher()
        let ticket = hasher.request(kind, limit: nil)
        hasher.update(Array(body.utf8).span)
        hasher.finish()
        let hash = Base64.encode(ticket.digest.hash)
        return Array(" v=1; c=relaxed/\(kind.rawValue);\(more) bh=\(hash); b=AAAA".utf8)[...]
    }

    private static func line(
        of body: String, _ signed: String, _ kind: Canonicalization, _ more: String = ""
    ) -> Int? {
        var additions = BodyAdditions(to: Array(body.utf8))
        return additions.firstLine(signature: signature(signed, kind, more))
    }

    @Test(arguments: Canonicalization.allCases)
    func `a footer is found, behind blank lines too`(_ kind: Canonicalization) {
        let signed = "One.\r\n\r\nTwo  words.\r\n"
        let footer = "-- \r\nlist@example.org\r\n"
        #expect(Self.line(of: signed + footer, signed, kind) == 4)
        #expect(Self.line(of: signed + "\r\n\r\n" + footer, signed, kind) == 4)
        #expect(Self.line(of: signed + footer, signed + "\r\n\r\n", kind) == 4)
        let text = "One.\r\n" + footer
        #expect(Self.line(of: text, "One.\r\n", kind) == 2)
    }

    @Test(arguments: Canonicalization.allCases)
    func `all of the text was added to an empty body`(_ kind: Canonicalization) {
        for signed in ["", "\r\n", "\r\n\r\n"] {
            #expect(Self.line(of: "-- \r\nlist@example.org\r\n", signed, kind) == 1)
            #expect(Self.line(of: "\r\n-- \r\nlist@example.org\r\n", signed, kind) == 1)
            #expect(Self.line(of: "\r\n", signed, kind) == nil)
        }
    }

    @Test func `several signatures are asked about one body`() {
        let one = "One.\r\n"
        let two = one + "Two  words.\r\n"
        var additions = BodyAdditions(to: Array((two + "Three.\r\n").utf8))
        for kind in Canonicalization.allCases {
            #expect(additions.firstLine(signature: Self.signature(one, kind)) == 2)
            #expect(additions.firstLine(signature: Self.signature(two, kind)) == 3)
        }
    }

    @Test(arguments: Canonicalization.allCases)
    func `other changes are not taken for one`(_ kind: Canonicalization) {
        let signed = "One.\r\nTwo.\r\n"
        #expect(Self.line(of: "Two.\r\n" + signed, signed, kind) == nil)
        #expect(Self.line(of: "One.\r\n", signed, kind) == nil)
        #expect(Self.line(of: "", signed, kind) == nil)
        #expect(Self.line(of: "One.\r\nTwo. More on the line.\r\n", signed, kind) == nil)
        #expect(Self.line(of: signed + "More.\r\n", signed, kind, " l=12;") == nil)
        for value in ["", " v=1", " bh=;c=relaxed/relaxed", " v=1; bh=!; c=odd", " v=1;;"] {
            var additions = BodyAdditions(to: Array(signed.utf8))
            #expect(additions.firstLine(signature: Array(value.utf8)[...]) == nil)
        }
    }

    @Test func `a body of many lines costs bounded time`() {
        let body = String(repeating: "x\r\n", count: 200_000)
        // What was added is longer than is looked back.
        #expect(Self.line(of: body, "x\r\n", .relaxed) == nil)
        #expect(Self.line(of: body + "end\r\n", body, .relaxed) == 200_001)
    }
}
