import MailSyntax
import Testing

@testable import DomainKeys

@Suite struct KeyTreeTests {
    @Test(arguments: ["a/b", "../x", "a_b.org", "-a.org", "a\\b", "*.org", "a b"])
    func `what is not a host name is no path`(_ text: String) {
        // Names of the DNS may have any octets; those that this type refuses come no further either.
        guard let name = try? DomainName(text) else { return }
        #expect(KeyTree("/keys").folder(of: name) == nil)
        #expect(KeyTree("/keys").keyFile(name, of: name) == nil)
    }

    @Test func `a folder is named in lower case`() throws {
        #expect(KeyTree("/keys/").folder(of: try DomainName("A.Example")) == "/keys/a.example")
    }
}

@Suite struct SigningListTests {
    @Test func `selectors stand one a line`() throws {
        let list = try SigningList(parsing: Array("# all\n a.b \r\n\nMail # x\nmail\n".utf8))
        #expect(list.selectors.map(\.ascii) == ["a.b", "mail"])
        #expect(try SigningList(parsing: Array(list.text.utf8)) == list)
        #expect(try SigningList(parsing: []).selectors.isEmpty)
    }

    @Test(arguments: ["a b", "..", "a/b", "-a", "\u{0}", "a\u{0}b", "é_", "*"])
    func `anything else is a fault with its line`(_ text: String) {
        #expect(throws: SigningList.Fault(description: "line 2 is not a selector")) {
            try SigningList(parsing: Array("ok\n\(text)\n".utf8))
        }
    }

    @Test func `is bounded`() {
        let many = (0..<9).map { "s\($0)\n" }.joined()
        #expect(throws: SigningList.Fault.self) { try SigningList(parsing: Array(many.utf8)) }
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        #expect(throws: SigningList.Fault.self) { try SigningList(parsing: long) }
    }
}
