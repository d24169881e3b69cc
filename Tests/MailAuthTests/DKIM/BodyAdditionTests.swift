import MailCrypto
import MailSyntax
import Testing

@testable import MailAuth

/// Where text was added below a signed body.
@Suite struct BodyAdditionTests {
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
        BodyAddition.firstLine(
            of: Array(body.utf8).span, signature: signature(signed, kind, more))
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
    func `other changes are not taken for one`(_ kind: Canonicalization) {
        let signed = "One.\r\nTwo.\r\n"
        #expect(Self.line(of: "Two.\r\n" + signed, signed, kind) == nil)
        #expect(Self.line(of: "One.\r\n", signed, kind) == nil)
        #expect(Self.line(of: "", signed, kind) == nil)
        #expect(Self.line(of: "One.\r\nTwo. More on the line.\r\n", signed, kind) == nil)
        #expect(Self.line(of: signed + "More.\r\n", signed, kind, " l=12;") == nil)
        for value in ["", " v=1", " bh=;c=relaxed/relaxed", " v=1; bh=!; c=odd", " v=1;;"] {
            let octets = Array(value.utf8)
            #expect(
                BodyAddition.firstLine(of: Array(signed.utf8).span, signature: octets[...]) == nil)
        }
    }

    @Test func `a body of many lines costs bounded time`() {
        let body = String(repeating: "x\r\n", count: 200_000)
        // What was added is longer than is looked back.
        #expect(Self.line(of: body, "x\r\n", .relaxed) == nil)
        #expect(Self.line(of: body + "end\r\n", body, .relaxed) == 200_001)
    }
}
