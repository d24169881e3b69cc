import MailAuth
import MailDNS
import MailSyntax
import Testing
import Threads

/// The processing limits (RFC 7208, section 4.6.4), and records made to exceed them.
@Suite("SPF limits")
struct SPFLimitTests {
    @Test("ten terms may ask the DNS, over all records, and no more are asked")
    func terms() throws {
        // Ten wide and as deep as it gets: 10^n terms if no one counts.
        let wide = (0..<10).map { "include:d\($0).example.com" }.joined(separator: " ")
        let zone =
            ["example.com TXT v=spf1 \(wide) -all"]
            + (0..<10).map { "d\($0).example.com TXT v=spf1 \(wide) -all" }
        let fake = SPFFake(zone)
        let outcome = try fake.check()
        #expect(outcome.result == .permerror)
        #expect(outcome.problem == .tooManyLookups(limit: 10))
        #expect(outcome.lookups == 10)
        #expect(fake.asked.count == 11)
    }

    @Test("loops end", arguments: ["include:example.com", "redirect=example.com", "include:%{d}"])
    func loops(_ term: String) throws {
        let fake = SPFFake(["example.com TXT v=spf1 \(term)"])
        #expect(try fake.check().problem == .tooManyLookups(limit: 10))
        #expect(fake.asked.count == 11)
    }

    @Test("the eleventh term is an error even if it would not match; an unused redirect is none")
    func eleventh() throws {
        let a = "example.com A 203.0.113.1"
        let ten = String(repeating: "a ", count: 10)
        #expect(try SPFFake(["example.com TXT v=spf1 \(ten)-all", a]).check().result == .fail)
        #expect(
            try SPFFake(["example.com TXT v=spf1 \(ten)a -all", a]).check().result == .permerror)
        #expect(
            try SPFFake(["example.com TXT v=spf1 \(ten)redirect=x.org -all", a]).check().result
                == .fail)
        #expect(
            try SPFFake(["example.com TXT v=spf1 \(ten)redirect=x.org", a]).check().result
                == .permerror)
    }

    @Test("the third void lookup is an error, and nothing is asked after it")
    func void() throws {
        let fake = SPFFake([
            "example.com TXT v=spf1 a:n1.example.com exists:n2.example.com mx:n3.example.com a -all"
        ])
        let outcome = try fake.check()
        #expect(outcome.problem == .tooManyVoidLookups(limit: 2))
        #expect(outcome.voidLookups == 3)
        #expect(fake.asked.last == "n3.example.com MX")
        var limits = SPFLimits()
        limits.voidLookups = 10
        #expect(try fake.check("user@example.com", "192.0.2.1", limits).result == .fail)
    }

    @Test(
        "an exchanger without an address of the client's family makes no void lookup of the others")
    func voidExchangers() throws {
        let fake = SPFFake([
            "example.com TXT v=spf1 mx -all", "example.com MX a.example.com",
            "example.com MX b.example.com", "example.com MX c.example.com",
            "example.com MX d.example.com", "a.example.com AAAA 2001:db8::9",
            "b.example.com A 203.0.113.1", "c.example.com A 203.0.113.2",
            "d.example.com A 203.0.113.3",
        ])
        let outcome = try fake.check("user@example.com", "2001:db8::1")
        #expect(outcome.result == .fail && outcome.voidLookups == 0)
        #expect(try fake.check().voidLookups == 0)
    }

    @Test("more than ten exchangers are an error before any is asked for")
    func exchangers() throws {
        let zone = (0..<11).map { "example.com MX m\($0).example.com" }
        let fake = SPFFake(["example.com TXT v=spf1 mx +all"] + zone)
        let outcome = try fake.check()
        #expect(outcome.result == .permerror)
        #expect(fake.asked == ["example.com TXT", "example.com MX"])
        #expect(
            try SPFFake(
                ["example.com TXT v=spf1 mx -all", "m0.example.com A 192.0.2.1"] + zone.dropLast()
            ).check().result == .pass)
    }

    @Test("a match weighs more than another exchanger's error; an error more than no match")
    func exchangerErrors() throws {
        let zone = [
            "example.com TXT v=spf1 mx -all", "example.com MX a.example.com",
            "example.com MX b.example.com", "a.example.com FAIL A",
        ]
        #expect(try SPFFake(zone + ["b.example.com A 192.0.2.1"]).check().result == .pass)
        #expect(try SPFFake(zone + ["b.example.com A 203.0.113.1"]).check().result == .temperror)
    }

    @Test("of the client's names only the first ten count, and one PTR query serves all")
    func clientNames() throws {
        let names = (0..<20).map { "1.2.0.192.in-addr.arpa PTR h\($0).example.com" }
        let addresses = (0..<20).map { "h\($0).example.com A 192.0.2.1" }
        let fake = SPFFake(
            ["example.com TXT v=spf1 ptr:x.org ptr:h19.example.com exists:%{p}.x.org -all"] + names
                + addresses)
        let outcome = try fake.check()
        #expect(outcome.result == .fail)
        #expect(fake.asked.count { $0.hasSuffix("PTR") } == 1)
        #expect(fake.asked.count { $0.hasSuffix(".example.com A") } == 10)
    }

    @Test("ten thousand terms and 64 KB are read", .timeLimit(.minutes(5)))
    func size() throws {
        for term in ["a:%{d} ", "ip4:192.0.2.7 ", "x=%{d}%{d} ", "include:x.org ", "a "] {
            let text = "v=spf1 " + String(repeating: term, count: 65_000 / term.utf8.count)
            let outcome = try SPFFake(["example.com TXT \(text)"]).check()
            #expect(outcome.lookups <= 11)
        }
    }

    @Test("the whole check has one deadline, and then it is a temperror", .timeLimit(.minutes(5)))
    func deadline() throws {
        var limits = SPFLimits()
        limits.seconds = 0.2
        let evaluator = SPFEvaluator(resolver: Silent(), time: .system, limits: limits)
        let outcome = evaluator.check(
            .mailFrom(Array("a@example.com".utf8), helo: [], client: .v4(1)))
        #expect(outcome.result == .temperror && outcome.problem == .deadline)
    }

    @Test("the deadline holds for \"ptr\" too, which takes other errors for no match")
    func deadlineOfPTR() throws {
        var limits = SPFLimits()
        limits.seconds = 0.2
        let record = DNSAnswer.records([.text([Array("v=spf1 ptr -all".utf8)])], .insecure)
        let outcome = SPFEvaluator(
            resolver: Silent(text: record), time: .system, limits: limits
        ).check(.mailFrom(Array("a@example.com".utf8), helo: [], client: .v4(1)))
        #expect(outcome.problem == .deadline)
    }

    @Test("a deadline of the caller's ends a check before its own limit")
    func callersDeadline() throws {
        let record = DNSAnswer.records([.text([Array("v=spf1 a -all".utf8)])], .insecure)
        let outcome = SPFEvaluator(resolver: Silent(text: record), time: .system).check(
            .mailFrom(Array("a@example.com".utf8), helo: [], client: .v4(1)),
            deadline: .now() + 0.1)
        #expect(outcome.result == .temperror && outcome.problem == .deadline)
    }

    @Test("time is what the clock says that the check was given")
    func clock() throws {
        let late = MonotonicTime.now() + 1_000
        let clock = TimeSource(now: { late }, seconds: { 7 })
        let record = DNSAnswer.records([.text([Array("v=spf1 a -all".utf8)])], .insecure)
        let outcome = SPFEvaluator(resolver: Silent(text: record), time: clock).check(
            .mailFrom(Array("a@example.com".utf8), helo: [], client: .v4(1)), deadline: late)
        #expect(outcome.problem == .deadline && outcome.lookups == 0)
    }

    /// A resolver that never answers, or only for TXT.
    struct Silent: DNSResolver {
        var text: DNSAnswer?

        func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
            if let text, question.type == .txt { return .ready(text) }
            return PendingAnswer(deadline: deadline)
        }
    }

    @Test("HELO's and MAIL FROM's records are fetched together, and asked for once")
    func prefetch() throws {
        let fake = SPFFake(["example.com TXT v=spf1 -all", "helo.example.com TXT v=spf1 +all"])
        let evaluator = SPFEvaluator(resolver: fake, time: .system)
        let client = IPAddress.v4(1)
        let helo = SPFRequest.helo(Array("helo.example.com".utf8), client: client)
        let mailFrom = SPFRequest.mailFrom(
            Array("a@example.com".utf8), helo: helo.helo, client: client)
        let prefetched = evaluator.prefetch(helo.domain, mailFrom.domain)
        #expect(fake.asked == ["helo.example.com TXT", "example.com TXT"])
        #expect(evaluator.check(helo, prefetched: prefetched).result == .pass)
        #expect(evaluator.check(mailFrom, prefetched: prefetched).result == .fail)
        #expect(fake.asked.count == 2)
    }
}
