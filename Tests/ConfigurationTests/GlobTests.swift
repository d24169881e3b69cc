import Testing

@testable import Configuration

@Suite struct GlobTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "A", true), ("abc", "abc", true),
        ("*", "", true), ("*", "anything", true), ("**", "x", true),
        ("a*", "a", true), ("a*", "ba", false), ("*a", "ba", true), ("*a", "ab", false),
        ("a*b", "ab", true), ("a*b", "axxb", true), ("a*b", "axxbc", false), ("a*a", "a", false),
        ("*a*b*", "xxaxxbxx", true), ("*ab*ab*", "abab", true), ("*ab*ab*", "aab", false),
        ("*@example.com", "joe@EXAMPLE.com", true), ("*@example.com", "joe@example.org", false),
        ("*.yourdomain.com", "mail.yourdomain.com", true),
        ("*.yourdomain.com", "yourdomain.com", false),
        ("a?c", "a?c", true), ("a?c", "abc", false), ("[a]", "[a]", true), ("a.c", "abc", false),
    ])
    func `an asterisk stands for anything`(_ pattern: String, _ text: String, _ matches: Bool)
        throws
    {
        #expect(try Glob(pattern).matches(text) == matches)
    }

    @Test(arguments: [
        ("a?c", "abc", true), ("a?c", "ac", false), ("?", "", false),
        ("X-[A-M]*", "x-mailer", true),
        ("X-[A-M]*", "X-Zed", false), ("[!a]", "b", true), ("[!a]", "A", false),
        ("[^a]", "b", true),
        ("[]]", "]", true), ("[a-]", "-", true), ("\\*", "*", true), ("\\*", "a", false),
        ("*[0-9][0-9]", "x42", true), ("*[0-9][0-9]", "x4", false), ("[\u{80}-\u{81}]", "a", false),
    ])
    func `the full syntax knows more`(_ pattern: String, _ text: String, _ matches: Bool) throws {
        #expect(try Glob(pattern, syntax: .full).matches(text) == matches)
    }

    @Test func `case counts when it is asked to`() throws {
        #expect(try !Glob("A*", ignoringCase: false).matches("abc"))
        #expect(try Glob("A*", ignoringCase: false).matches("Abc"))
    }

    @Test(arguments: ["[", "[a", "[z-a]", "a\\"])
    func `a broken pattern is an error`(_ pattern: String) {
        #expect(throws: Glob.Fault.self) { try Glob(pattern, syntax: .full) }
    }

    @Test func `an endless pattern is an error`() {
        #expect(throws: Glob.Fault.self) { try Glob(String(repeating: "a", count: 1025)) }
    }

    @Test(.timeLimit(.minutes(5)))
    func `many asterisks do not multiply`() throws {
        let glob = try Glob(String(repeating: "a*", count: 200) + "b")
        #expect(!glob.matches(String(repeating: "a", count: 100_000)))
    }
}
