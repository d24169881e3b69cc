import Foundation
import MailSyntax
import Testing

@testable import FailureReports

/// What a failure report shows of people: nothing, but whether they are the same (RFC 6590).
@Suite struct RedactionTests {
    private let redactor = Redactor(key: Array("a key of the tests".utf8))

    private func redacted(_ text: String) -> String {
        String(decoding: redactor.redacted(text.utf8), as: UTF8.self)
    }

    private func shown(_ fields: (String, String)...) -> String {
        var header = HeaderSection()
        for (name, value) in fields { header.append(name: name, value: value) }
        return String(decoding: RedactedHeader(redactor).lines(of: header), as: UTF8.self)
    }

    @Test func `one text is always the same, with another key another`() {
        #expect(redacted("jane") == redacted("jane"))
        #expect(redacted("jane") != redacted("Jane"))
        let other = Redactor(key: [1])
        #expect(other.redacted("jane".utf8) != redactor.redacted("jane".utf8))
        #expect(redacted("jane").utf8.count == 12)
        #expect(
            redacted("jane").utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_".utf8.contains($0) })
    }

    @Test(arguments: [
        ("jane@example.com", "jane"), ("<jane@example.com>;", "jane"),
        ("for <jane.doe+x@example.com>", "jane.doe+x"), ("\"jane doe\"@example.com", "jane doe"),
        ("\"a\\\"b\"@example.com", "a\\\"b"), ("jane @example.com", "jane"),
        ("https://x.example/u?e=jane%40example.com", "//x.example/u?e=jane"),
        ("jané@example.com", "jané"),
        (
            "SRS0=h=tt=other.example=jane@example.com",
            "SRS0=h=tt=other.example=jane"
        ),
    ])
    func `local-parts go, wherever they stand`(_ text: String, _ local: String) {
        let output = String(decoding: redactor.addresses(in: text.utf8), as: UTF8.self)
        #expect(output.contains(redacted(local)), "\(output)")
        #expect(!output.contains("jane") && !output.contains("jané"), "\(output)")
        #expect(output.contains("example"))
    }

    @Test(arguments: ["", "@", "@@", "@example.com", "no address", "\"@x", "%4", "a\"b"])
    func `what is no address stays`(_ text: String) {
        _ = redactor.addresses(in: text.utf8)
        #expect(redactor.addresses(in: "@example.com".utf8) == Array("@example.com".utf8))
    }

    @Test func `names of people go from the fields that have them, the domain stays`() {
        let text = shown(
            ("From", " \"Jane, of <evil@x>\" <jane@example.com> (secret)"),
            ("To", " Team: Bob Smith <bob@example.org>, carl@example.org (Carl); Jane Doe;"),
            ("Cc", " =?utf-8?q?Jane?= <jane@example.com"), ("Subject", " About Jane"))
        for secret in ["Jane", "jane", "Bob", "bob", "Carl", "carl", "secret", "evil", "Team"] {
            #expect(!text.contains(secret), "\(secret) in \(text)")
        }
        // The same people are the same.
        #expect(text.components(separatedBy: redacted("jane")).count == 3)
        #expect(text.contains("<\(redacted("jane"))@example.com>"))
        #expect(text.contains("<\(redacted("bob"))@example.org>"))
        #expect(text.contains("Subject: \(redacted("About Jane"))\n"))
    }

    @Test func `what the domain needs to find the message stays`() {
        let text = shown(
            ("Received", " from a.example ([192.0.2.1])\r\n\tby b.example for <jane@b.example>; x"),
            ("Message-ID", " <123.abc@example.com>"))
        #expect(text.contains("from a.example ([192.0.2.1])\n\tby b.example for <"))
        #expect(!text.contains("jane"))
        #expect(text.contains("Message-ID: <123.abc@example.com>\n"))
    }

    @Test func `nothing of a message ends a line, or the section, that is not a fold`() {
        let text = shown(
            ("X-Bad", " a\r\n\r\nb\r\rc\n--boundary\u{0}\u{1B}"),
            ("X-Long", String(repeating: "é", count: 5000)))
        #expect(!text.contains("\n\n") && !text.contains("\r") && !text.contains("\n--"))
        #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 998 })
        #expect(String(validating: Array(text.utf8), as: UTF8.self) != nil)
        let many = (0..<5000).map { ("X-\($0)", String(repeating: "x", count: 100)) }
        var header = HeaderSection()
        for (name, value) in many { header.append(name: name, value: value) }
        #expect(RedactedHeader(redactor).lines(of: header).count <= 65_536)
    }

    @Test func `without a redactor everything is shown`() {
        var header = HeaderSection()
        header.append(name: "From", value: " Jane <jane@example.com>")
        let lines = RedactedHeader(nil).lines(of: header)
        #expect(String(decoding: lines, as: UTF8.self) == "From: Jane <jane@example.com>\n")
    }
}
