import MailAuth
import MailSyntax
import Testing

/// The record parser against the grammar of RFC 7208, section 12.
@Suite("SPF record")
struct SPFRecordTests {
    @Test(
        "right",
        arguments: [
            "v=spf1", "V=SPF1", "v=spf1 ", "v=spf1   a  -all  ", "v=spf1 A:Example.COM/24//64",
            "v=spf1 a//0", "v=spf1 a/0", "v=spf1 a/32//128", "v=spf1 mx:foo:bar/baz.example.com",
            "v=spf1 ip4:0.0.0.0/0", "v=spf1 ip6:::/0", "v=spf1 ip6:::ffff:192.0.2.1/96",
            "v=spf1 exists:%{i}.%{d}", "v=spf1 exists:%{l1r-}._spf.example.com.", "v=spf1 ptr",
            "v=spf1 a:%{d}/24", "v=spf1 a:%%", "v=spf1 a:x%-", "v=spf1 a:.com", "v=spf1 a:1-2.3-4",
            "v=spf1 redirect=%{o}", "v=spf1 exp=%{d}", "v=spf1 unknown=", "v=spf1 u.n_k-n=%{c}",
            "v=spf1 ALL", "v=spf1 Include:example.com", "v=spf1 exists:%{L127R.-+,/_=}",
            "v=spf1 exists:%{d99999999999999999999}", "v=spf1 redirectx=foo",
        ])
    func right(_ text: String) throws {
        let record = try SPFRecord(parsing: Array(text.utf8))
        #expect(record.text == text)
    }

    /// What is wrong, and the character at which it is, counted from 1.
    @Test(
        "wrong",
        arguments: [
            ("v=spf10", "no \"v=spf1\" at character 1"),
            ("v=spf1 moo", "the unknown mechanism \"moo\" at character 8"),
            ("v=spf1 -all moo -all", "the unknown mechanism \"moo\" at character 13"),
            ("v=spf1 1up=x", "a term without a name at character 8"),
            ("v=spf1 =all", "a term without a name at character 8"),
            ("v=spf1 -", "a term without a name at character 9"),
            ("v=spf1 --all", "a term without a name at character 9"),
            ("v=spf1 all.", "the unknown mechanism \"all.\" at character 8"),
            ("v=spf1 all:x", "an argument that the mechanism does not take at character 11"),
            ("v=spf1 all/8", "an argument that the mechanism does not take at character 11"),
            ("v=spf1 ptr/24", "an argument that the mechanism does not take at character 11"),
            ("v=spf1 redirect:x.org", "the unknown mechanism \"redirect\" at character 8"),
            ("v=spf1 +redirect=x.org", "a qualifier before a modifier at character 8"),
            ("v=spf1 include", "a mechanism without its argument at character 15"),
            ("v=spf1 ip4", "a mechanism without its argument at character 11"),
            ("v=spf1 a:", "an empty domain at character 10"),
            ("v=spf1 a:/24", "an empty domain at character 10"),
            ("v=spf1 exp=", "an empty domain at character 12"),
            ("v=spf1 a:museum", "a domain of one label at character 10"),
            ("v=spf1 a:museum.", "a domain of one label at character 10"),
            ("v=spf1 a:%{d}.", "a domain of one label at character 10"),
            ("v=spf1 a:x.123", "a domain that does not end in a valid label at character 12"),
            ("v=spf1 a:192.0.2.1", "a domain that does not end in a valid label at character 18"),
            ("v=spf1 a:x.-com", "a domain that does not end in a valid label at character 12"),
            ("v=spf1 a:x.com-", "a domain that does not end in a valid label at character 12"),
            ("v=spf1 a:x..", "a domain that does not end in a valid label at character 12"),
            ("v=spf1 a:x.com:80", "a domain that does not end in a valid label at character 12"),
            (
                "v=spf1 exists:x.com/24",
                "a domain that does not end in a valid label at character 17"
            ),
            ("v=spf1 a/33", "a malformed prefix length at character 10"),
            ("v=spf1 a/08", "a malformed prefix length at character 10"),
            ("v=spf1 a/0000", "a malformed prefix length at character 10"),
            ("v=spf1 a//129", "a malformed prefix length at character 11"),
            ("v=spf1 a/24/64", "a malformed prefix length at character 13"),
            ("v=spf1 a/24/16", "an argument that the mechanism does not take at character 9"),
            ("v=spf1 ip4:1.2.3.4/", "a malformed prefix length at character 20"),
            ("v=spf1 ip4:1.2.3.4//32", "a malformed prefix length at character 20"),
            ("v=spf1 ip4:1.2.3", "a malformed IP address at character 12"),
            ("v=spf1 ip4:01.2.3.4", "a malformed IP address at character 12"),
            ("v=spf1 ip4:1.2.3.256", "a malformed IP address at character 12"),
            ("v=spf1 ip4:::1", "a malformed IP address at character 12"),
            ("v=spf1 ip6:1.2.3.4", "a malformed IP address at character 12"),
            ("v=spf1 ip6:::1%eth0", "a malformed IP address at character 12"),
            ("v=spf1 exists:%(i).x.org", "a \"%\" that begins no macro at character 15"),
            ("v=spf1 exists:x.org%", "a \"%\" that begins no macro at character 20"),
            ("v=spf1 exists:%{x}.org", "the unknown macro letter \"x\" at character 17"),
            ("v=spf1 exists:%{c}.org", "the unknown macro letter \"c\" at character 17"),
            ("v=spf1 exp=%{t}.x.org", "the unknown macro letter \"t\" at character 14"),
            ("v=spf1 exists:%{d0}", "a macro that keeps zero parts at character 18"),
            ("v=spf1 exists:%{dr2}", "a malformed macro at character 19"),
            ("v=spf1 exists:%{d|}", "a malformed macro at character 18"),
            ("v=spf1 exists:%{d", "a malformed macro at character 18"),
            ("v=spf1 exists:%{", "a malformed macro at character 17"),
            ("v=spf1 foo=%abc", "a \"%\" that begins no macro at character 12"),
            ("v=spf1 a\u{9}-all", "the forbidden octet 0x09 at character 9"),
            ("v=spf1 a:x.org\0", "the forbidden octet 0x00 at character 15"),
            ("v=spf1 a:caf\u{E9}.org", "the forbidden octet 0xC3 at character 13"),
            ("v=spf1 exp=a.b exp=a.b", "a second \"exp=\" at character 16"),
            ("v=spf1 redirect=a.b REDIRECT=a.b", "a second \"redirect=\" at character 21"),
        ])
    func wrong(_ text: String, _ error: String) {
        #expect {
            try SPFRecord(parsing: Array(text.utf8))
        } throws: {
            #expect("\($0)" == error)
            return true
        }
    }

    @Test("terms are kept in order, with their text")
    func terms() throws {
        let record = try SPFRecord(
            parsing: Array(
                "v=spf1 +mx a:colo.example.com/28 exp=e.x.org ?ip4:192.0.2.9/24 -all".utf8))
        #expect(
            record.directives.map { record.text(of: $0) }
                == ["+mx", "a:colo.example.com/28", "?ip4:192.0.2.9/24", "-all"])
        #expect(record.directives.map(\.qualifier) == [.pass, .pass, .neutral, .fail])
        #expect(record.hasAll && record.redirect == nil && record.explanation != nil)
    }

    @Test("any octets are parsed or refused, never more")
    func noise() {
        var generator = RecordGenerator(seed: 99)
        for _ in 0..<5_000 {
            var octets = Array("v=spf1 ".utf8)
            let alphabet = Array("aimxp46:/.%{}dlr0129-+~?= \u{0}\u{80}exp".utf8)
            for _ in 0..<generator.below(40) { octets.append(generator.pick(alphabet)) }
            _ = try? SPFRecord(parsing: octets)
        }
    }
}
