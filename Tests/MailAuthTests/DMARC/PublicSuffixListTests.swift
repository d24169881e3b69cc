import Foundation
import MailAuth
import MailSyntax
import Testing

@Suite("Public suffix list")
struct PublicSuffixListTests {
    static let list = PublicSuffixList(
        parsing: Array(
            """
            // a comment
            com
            uk
            co.uk   and text after it
            *.ck
            !www.ck
            jp
            *.kawasaki.jp
            !city.kawasaki.jp
            *
            公司.cn
            cn
            blogspot.com
            """.utf8))

    static let cases = [
        // name, organizational domain
        ("com", nil), ("example.com", "example.com"), ("a.b.example.com", "example.com"),
        ("uk", nil), ("co.uk", nil), ("example.uk", "example.uk"),
        ("a.example.co.uk", "example.co.uk"), ("unlisted", nil),
        ("example.unlisted", "example.unlisted"), ("a.b.unlisted", "b.unlisted"), ("ck", nil),
        ("test.ck", nil), ("b.test.ck", "b.test.ck"), ("a.b.test.ck", "b.test.ck"),
        ("www.ck", "www.ck"), ("a.www.ck", "www.ck"), ("kawasaki.jp", "kawasaki.jp"),
        ("c.kawasaki.jp", nil), ("a.b.c.kawasaki.jp", "b.c.kawasaki.jp"),
        ("a.city.kawasaki.jp", "city.kawasaki.jp"), ("公司.cn", nil),
        ("x.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"), ("blogspot.com", nil),
        ("me.blogspot.com", "me.blogspot.com"), ("COM", nil), ("EXAMPLE.COM", "example.com"),
    ]

    @Test("organizational domain", arguments: cases)
    func organizationalDomain(_ name: String, _ expected: String?) throws {
        #expect(Self.list.organizationalDomain(of: try DomainName(name))?.ascii == expected)
    }

    @Test("listed are those that a rule makes public suffixes")
    func listed() throws {
        for (name, isListed) in [
            ("com", true), ("ck", false), ("x.ck", true), ("www.ck", false), ("unlisted", false),
            ("example.com", false), ("公司.cn", true), ("kawasaki.jp", false),
        ] {
            #expect(Self.list.lists(try DomainName(name)) == isListed, "\(name)")
        }
        #expect(Self.list.unreadableLines == 0)
    }

    static let path = "/usr/share/publicsuffix/public_suffix_list.dat"

    @Test(
        "Debian's list", .enabled(if: FileManager.default.isReadableFile(atPath: path), "no list"))
    func debian() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path))
        let list = PublicSuffixList(parsing: Array(data))
        #expect(list.count > 8000)
        #expect(list.unreadableLines == 0)
        for (name, organization) in [
            ("a.b.example.co.uk", "example.co.uk"), ("mail.example.de", "example.de"),
            ("one.github.io", "one.github.io"),
        ] {
            #expect(list.organizationalDomain(of: try DomainName(name))?.ascii == organization)
        }
    }
}
