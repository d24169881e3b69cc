import MailAuth
import MailSyntax
import Testing

/// The examples of RFC 7208, section 7.4, and what the standard leaves to the careful.
@Suite("SPF macros")
struct SPFMacroTests {
    static let sender = "strong-bad@email.example.com"

    /// The domain that "exists" asks for.
    private func expansion(
        _ macros: String, sender: String = sender, client: String = "192.0.2.3",
        helo: String = "mx.example.org"
    ) throws -> String? {
        let domain = sender.split(separator: "@").last ?? ""
        let fake = SPFFake(["\(domain) TXT v=spf1 exists:\(macros) -all"])
        _ = try fake.check(sender, client, helo: helo)
        return fake.asked.first { $0.hasSuffix(" A") }.map { String($0.dropLast(2)) }
    }

    @Test(
        "the standard's examples",
        arguments: [
            ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"),
            ("%{d}", "email.example.com"), ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"), ("%{d2}", "example.com"), ("%{d1}", "com"),
            ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"), ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"), ("%{lr}", "strong-bad"), ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"), ("%{h}", "mx.example.org"), ("%{H}", "mx.example.org"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            (
                "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
                "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"
            ),
            (
                "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
                "3.2.0.192.in-addr.strong.lp._spf.example.com"
            ),
            (
                "%{d2}.trusted-domains.example.net",
                "example.com.trusted-domains.example.net"
            ),
            ("%{S}.x.org", "strong-bad%40email.example.com.x.org"), ("%%.x.org", "%.x.org"),
            ("a%-b.x.org", "a%20b.x.org"), ("%{p}.x.org", "unknown.x.org"),
        ])
    func examples(_ macros: String, _ name: String) throws {
        #expect(try expansion(macros) == name)
    }

    @Test("the standard's IPv6 example")
    func ipv6() throws {
        #expect(
            try expansion("%{ir}.%{v}._spf.%{d2}", client: "2001:db8::cb01")
                == "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
        )
    }

    @Test("labels are removed from the left of a name that is too long")
    func truncation() throws {
        let local = (0..<60).map { "part\($0)" }.joined(separator: ".")
        let name = try #require(try expansion("%{l}.%{d}", sender: "\(local)@example.com"))
        #expect(name.utf8.count <= 253)
        #expect("\(local).example.com".hasSuffix(".\(name)"))
        #expect(
            "\(local).example.com".dropLast(name.utf8.count + 1).split(separator: ".").last
                .map { $0.utf8.count + name.utf8.count + 1 > 253 } == true)
    }

    @Test("growth is bounded: sixteen thousand macros cost what one name does")
    func growth() throws {
        let record = "v=spf1 exists:" + String(repeating: "%{s}", count: 16_000) + " -all"
        let sender = String(repeating: "x.", count: 200) + "y@example.com"
        let fake = SPFFake(["example.com TXT \(record)"])
        #expect(try fake.check(sender).result == .fail)
        #expect(fake.asked.allSatisfy { $0.utf8.count <= 257 })
    }

    @Test("a local part outside ASCII matches nothing (RFC 8616, section 4)")
    func localPartOutsideASCII() throws {
        let fake = SPFFake([
            "example.com TXT v=spf1 exists:%{l}.example.com exists:%{d} -all",
            "example.com A 192.0.2.9",
        ])
        let outcome = try fake.check("j\u{F6}rg@example.com")
        #expect(outcome.decision?.mechanism == "exists:%{d}")
    }

    /// No match of an include is no permerror for want of a record (RFC 7208, section 5.2).
    @Test(
        "an include of a local part outside ASCII is passed over (RFC 8616, section 4)",
        arguments: [
            ("include:%{l}.x.test -all", SPFResult.fail),
            ("include:%{s}.x.test +all", .pass),
            ("include:inner.test -all", .fail), ("redirect=%{l}.x.test", .neutral),
            ("a:%{l}.x.test mx:%{s}.x.test ptr:%{l1r}.x.test ?all", .neutral),
        ])
    func includeOfLocalPartOutsideASCII(_ record: String, _ result: SPFResult) throws {
        let fake = SPFFake([
            "example.com TXT v=spf1 \(record)",
            "inner.test TXT v=spf1 include:%{l}.x.test -all",
        ])
        #expect(try fake.check("j\u{F6}rg@example.com").result == result)
    }

    @Test("U-labels become A-labels, in the domain and in macros (RFC 8616, section 4)")
    func internationalDomain() throws {
        let fake = SPFFake([
            "xn--bcher-kva.example TXT v=spf1 exists:%{o}.%{h}.x.org -all",
            "xn--bcher-kva.example.xn--mnchen-3ya.example.x.org A 127.0.0.2",
        ])
        let outcome = try fake.check(
            "user@b\u{FC}cher.example", helo: "m\u{FC}nchen.example")
        #expect(outcome.result == .pass)
        #expect(outcome.domain?.ascii == "xn--bcher-kva.example")
    }

    @Test("p prefers the domain, then a name below it, then any")
    func clientName() throws {
        let addresses = ["other.net", "sub.example.com", "example.com"].map { "\($0) A 192.0.2.1" }
        let names = ["other.net", "sub.example.com", "example.com", "forged.example.com"]
        for (count, best) in [(1, "other.net"), (2, "sub.example.com"), (4, "example.com")] {
            let fake = SPFFake(
                addresses + ["example.com TXT v=spf1 exists:%{p}.x.org -all"]
                    + names.prefix(count).map { "1.2.0.192.in-addr.arpa PTR \($0)" })
            _ = try fake.check()
            #expect(fake.asked.contains("\(best).x.org A"))
        }
    }
}
