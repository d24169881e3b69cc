import MailAuth
import MailSyntax
import Testing

/// What an outcome tells: requests, decisions, sentences, explanations.
@Suite("SPF outcome")
struct SPFOutcomeTests {
    private func request(_ path: String, helo: String = "helo.example.com") -> SPFRequest {
        .mailFrom(Array(path.utf8), helo: Array(helo.utf8), client: .v4(0xC000_0201))
    }

    @Test(
        "the domain is what follows the last \"@\"",
        arguments: [
            ("user@example.com", "user", "example.com"),
            ("<user@example.com>", "user", "example.com"),
            ("", "postmaster", "helo.example.com"), ("<>", "postmaster", "helo.example.com"),
            ("@example.com", "postmaster", "example.com"),
            ("example.com", "postmaster", "example.com"),
            ("a@b@example.com", "a@b", "example.com"), ("user@example.com.", "user", "example.com"),
            ("@relay.example,@x.example:user@example.com", "user", "example.com"),
            ("Two Words@Example.COM", "Two Words", "example.com"),
        ])
    func split(_ path: String, _ local: String, _ domain: String) {
        let request = request(path)
        #expect(request.localPart == Array(local.utf8))
        #expect(request.domain?.ascii == domain)
    }

    @Test(
        "names that cannot have a policy make \"none\", and no query",
        arguments: [
            "user@localhost", "user@[192.0.2.1]", "user@[IPv6:2001:db8::1]", "user@192.0.2.1",
            "user@",
            "user@a..example.com", "user@exa mple.com", "user@\u{7F}.example.com",
            "user@.example.com",
            "user@" + String(repeating: "a", count: 64) + ".example.com",
            "user@" + String(repeating: "a.", count: 200) + "com",
        ])
    func nothingToCheck(_ path: String) throws {
        let fake = SPFFake([])
        let outcome = try fake.check(path)
        #expect(outcome.result == .none && fake.asked.isEmpty && outcome.domain == nil)
        #expect(outcome.sentence.hasPrefix("the sender's domain"))
    }

    @Test(
        "sentences",
        arguments: [
            (
                "v=spf1 ip4:192.0.2.0/24 -all", SPFResult.pass,
                "192.0.2.1 is allowed to send mail for example.com: \"ip4:192.0.2.0/24\" in the SPF record of example.com"
            ),
            (
                "v=spf1 include:_spf.example.org -all", .pass,
                "192.0.2.1 is allowed to send mail for example.com: \"a:mail.example.org\" in the SPF record of _spf.example.org"
            ),
            (
                "v=spf1 -include:_spf.example.org", .fail,
                "192.0.2.1 is not allowed to send mail for example.com: \"-include:_spf.example.org\" in the SPF record of example.com"
            ),
            (
                "v=spf1 redirect=all.example.org", .softfail,
                "192.0.2.1 is probably not allowed to send mail for example.com: \"~all\" in the SPF record of all.example.org"
            ),
            (
                "v=spf1 a:mail2.example.org", .neutral,
                "example.com does not say whether 192.0.2.1 may send its mail: no mechanism of its record matches"
            ),
            ("v=spf2", .none, "example.com has no SPF record"),
            (
                "v=spf1 a:192.0.2.1 -all", .permerror,
                "the SPF policy of example.com cannot be evaluated: the SPF record of example.com has a domain that does not end in a valid label at character 18"
            ),
            (
                "v=spf1 include:nothing.example.org -all", .permerror,
                "the SPF policy of example.com cannot be evaluated: nothing.example.org, which the policy refers to, has no SPF record"
            ),
            (
                "v=spf1 include:broken.example.org -all", .permerror,
                "the SPF policy of example.com cannot be evaluated: the SPF record of broken.example.org has the unknown mechanism \"moo\" at character 8"
            ),
            (
                "v=spf1 include:two.example.org -all", .permerror,
                "the SPF policy of example.com cannot be evaluated: two.example.org has more than one SPF record"
            ),
            (
                "v=spf1 include:dead.example.org -all", .temperror,
                "the SPF policy of example.com could not be evaluated for now: the DNS lookup of dead.example.org TXT failed (SERVFAIL)"
            ),
        ])
    func sentence(_ record: String, _ result: SPFResult, _ sentence: String) throws {
        let outcome = try SPFFake([
            "example.com TXT \(record)", "_spf.example.org TXT v=spf1 a:mail.example.org -all",
            "mail.example.org A 192.0.2.1", "all.example.org TXT v=spf1 ~all",
            "broken.example.org TXT v=spf1 moo", "two.example.org TXT v=spf1 -all",
            "two.example.org TXT v=spf1 +all", "dead.example.org FAIL TXT",
        ]).check()
        #expect(outcome.result == result)
        #expect(outcome.sentence == sentence)
    }

    @Test("the tree of records shows what was visited, and how each ended")
    func tree() throws {
        let outcome = try SPFFake([
            "example.com TXT v=spf1 include:a.example.com redirect=b.example.com",
            "a.example.com TXT v=spf1 ip4:203.0.113.1 -all", "b.example.com TXT v=spf1 ?all",
        ]).check()
        let visit = try #require(outcome.visit)
        #expect(visit.ending == .redirected && visit.result == .neutral)
        #expect(visit.nested.map(\.term) == ["include:a.example.com", "redirect=b.example.com"])
        #expect(visit.nested.map(\.result) == [.fail, .neutral])
        #expect(visit.nested[0].ending == .matched(1))
        #expect(outcome.lookups == 2)
        #expect(outcome.questions.count == 3)
    }

    @Test("an IPv4-mapped client is an IPv4 client, whom no \"ip6\" matches")
    func mapped() throws {
        let fake = SPFFake(["example.com TXT v=spf1 ip6:::ffff:192.0.2.1 ip4:192.0.2.1 -all"])
        let outcome = try fake.check("user@example.com", "::ffff:192.0.2.1")
        #expect(outcome.decision?.mechanism == "ip4:192.0.2.1")
    }

    @Test(
        "explanations are printable ASCII or nothing",
        arguments: [
            (
                "%{i} may not send for %{d}; see %{r} at %{t}",
                "192.0.2.1 may not send for example.com; see mx.example.net at 1234"
            ),
            ("%{c} %{s} %{h} %%%_%-", "192.0.2.1 user@example.com helo.example.com % %20"),
            ("caf\u{E9}", nil), ("a\u{9}b", nil), ("a\r\n250 OK", nil), ("%{x}", nil),
            ("100%", nil),
            (String(repeating: "x", count: 600), String(repeating: "x", count: 500)),
        ])
    func explanation(_ text: String, _ expected: String?) throws {
        let outcome = try SPFFake([
            "example.com TXT v=spf1 -all exp=why.%{d}", "why.example.com TXT \(text)",
        ]).check()
        #expect(outcome.result == .fail)
        #expect(outcome.explanation == expected)
        #expect(outcome.lookups == 0)
    }

    @Test("what the client says cannot put line ends into an explanation")
    func hostileExplanation() throws {
        let fake = SPFFake([
            "example.com TXT v=spf1 -all exp=why.example.com", "why.example.com TXT %{h} %{l}",
        ])
        #expect(try fake.check(helo: "a\r\n250 b").explanation == nil)
        #expect(try fake.check("j\u{F6}rg@example.com").explanation == nil)
    }
}
