import Foundation
import MailSyntax
import ReportStore
import SigningLog
import TestKit
import Testing

@testable import ReportInsight

/// What is made of received reports: sums, sources, advice, text and page.
@Suite struct InsightTests {
    private static let day: Int64 = 20_000

    /// A row: source, messages, and what a test changes of the verdict.
    struct Row {
        let source: String
        let messages: Int64
        let change: (inout ReceivedVerdict) -> Void

        init(
            _ source: String, _ messages: Int64, _ change: @escaping (inout ReceivedVerdict) -> Void
        ) {
            self.source = source
            self.messages = messages
            self.change = change
        }
    }

    /// A report with rows.
    static func report(
        _ id: String, domain: String = "example.org", day: Int64 = day,
        _ rows: [Row]
    ) throws -> ReceivedReport {
        var report = ReceivedReport(kind: .aggregate)
        report.id = id
        report.domain = domain
        report.reporter = "Reporter"
        report.reporterDomain = "reports.example"
        report.begin = day * 86_400
        report.end = report.begin + 86_399
        report.policy.p = "none"
        for row in rows {
            let (source, messages) = (row.source, row.messages)
            var verdict = ReceivedVerdict()
            verdict.headerFrom = domain
            row.change(&verdict)
            report.verdicts.append(verdict)
            report.counts.append(
                ReceivedCount(
                    source: try #require(IPAddress(source)), verdict: report.verdicts.count - 1,
                    messages: messages))
            report.messages += messages
        }
        report.records = rows.count
        return report
    }

    private static func pass(_ verdict: inout ReceivedVerdict) {
        (verdict.isDKIMAligned, verdict.isSPFAligned) = (true, true)
    }

    private static func fail(_ verdict: inout ReceivedVerdict) {}

    /// A forwarder: our signature passes, and SPF is that of the forwarder.
    private static func forward(_ verdict: inout ReceivedVerdict) {
        verdict.isDKIMAligned = true
        (verdict.spfDomain, verdict.spfResult) = ("lists.example", "pass")
    }

    /// A list that changed the message: our signature is there and does not verify.
    private static func broken(_ verdict: inout ReceivedVerdict) {
        verdict.signatures = [.init(domain: "example.org", selector: "s", result: "fail")]
        (verdict.spfDomain, verdict.spfResult) = ("lists.example", "pass")
    }

    /// What a store with reports shows.
    private func insight(
        _ reports: [ReceivedReport], since: Int64? = nil, today: Int64 = day,
        facts: InsightFacts = InsightFacts(), signed ledger: SigningLedger? = nil
    ) throws -> Insight {
        let folder = try TemporaryDirectory("signet-insight")
        let store = try ReceivedReportStore(.file(folder.file("r.db")))
        _ = try store.add(reports, at: 0)
        var insight = try Insight(of: store, since: since, today: today, signed: ledger)
        insight.apply(facts)
        return insight
    }

    @Test func `sums, sources and days are those of the reports`() throws {
        let insight = try insight([
            try Self.report(
                "1", [Row("192.0.2.1", 90, Self.pass), Row("192.0.2.2", 10, Self.fail)]),
            try Self.report("2", day: Self.day - 1, [Row("192.0.2.1", 5, Self.forward)]),
            try Self.report("3", domain: "second.example", [Row("192.0.2.1", 1, Self.pass)]),
        ])
        #expect(insight.domains.map(\.domain) == ["example.org", "second.example"])
        let domain = try #require(insight.domains.first)
        #expect(domain.total.messages == 105)
        #expect(domain.total.passed == 95)
        #expect(domain.total.fullyAligned == 90)
        #expect(domain.total.partlyAligned == 5)
        #expect(domain.reports == 2)
        #expect(domain.days[Self.day]?.messages == 100)
        #expect(domain.days[Self.day]?.passed == 90)
        let first = try #require(domain.sources.first { $0.address == "192.0.2.1" })
        #expect((first.first, first.last) == (Self.day - 1, Self.day))
        #expect(domain.reporters["reports.example"]?.messages == 105)
    }

    @Test func `only what is since a day counts`() throws {
        let reports = try (0..<10).map {
            try Self.report("\($0)", day: Self.day - $0, [Row("192.0.2.1", 1, Self.pass)])
        }
        #expect(try insight(reports, since: Self.day - 2).domains.first?.total.messages == 3)
        #expect(try insight(reports, since: Self.day + 1).domains.isEmpty)
    }

    @Test func `sources are told apart by what is known of them`() throws {
        var facts = InsightFacts()
        facts.own = [try #require(IPNetwork("192.0.2.1"))]
        facts.spf = ["example.org": [try #require(IPNetwork("192.0.2.16/28"))]]
        let names = [
            "198.51.100.1": "mail-1.google.com", "198.51.100.2": "a.host.example",
            "198.51.100.3": "b.host.example",
        ]
        facts.name = { names[$0.description] }
        let sources = [
            "192.0.2.1", "192.0.2.20", "198.51.100.1", "198.51.100.2", "198.51.100.3",
            "203.0.113.1",
        ]
        let insight = try insight(
            [
                try Self.report(
                    "1",
                    sources.map { Row($0, 1, Self.fail) } + [
                        Row("203.0.113.2", 4, Self.forward),
                        Row(
                            "203.0.113.3", 1,
                            {
                                ($0.spfDomain, $0.spfResult) = ("eu-west-1.amazonses.com", "pass")
                            }
                        ),
                    ])
            ], facts: facts)
        let domain = try #require(insight.domains.first)
        let kinds = Dictionary(
            uniqueKeysWithValues: domain.sources.map { ($0.address, $0.kind) })
        #expect(kinds["192.0.2.1"] == .own)
        #expect(kinds["192.0.2.20"] == .spf)
        #expect(kinds["198.51.100.1"] == .provider)
        #expect(kinds["198.51.100.2"] == .host)
        #expect(kinds["203.0.113.1"] == .unknown)
        #expect(kinds["203.0.113.2"] == .forwarder)
        #expect(kinds["203.0.113.3"] == .provider)
        let group = try #require(domain.groups.first { $0.name == "host.example" })
        #expect(group.messages == 2)
        #expect(group.address == "2 addresses")
        #expect(domain.groups.contains { $0.name == "Amazon SES" })
        // Addresses without a name are put together by their network.
        let network = try self.insight([
            try Self.report("2", (1...3).map { Row("203.0.113.\($0)", 1, Self.fail) })
        ])
        #expect(network.domains.first?.groups.map(\.name) == ["203.0.113.0/24"])
    }

    /// A failing signature beside a passing one of the same domain is the reporter's matter.
    @Test func `a second signature that a reporter cannot verify is no failure`() throws {
        let insight = try insight([
            try Self.report(
                "1",
                [
                    Row(
                        "192.0.2.1", 7,
                        {
                            $0.isDKIMAligned = true
                            $0.signatures = [
                                .init(domain: "example.org", selector: "rsa", result: "pass"),
                                .init(domain: "example.org", selector: "ed", result: "permerror"),
                            ]
                        }
                    )
                ])
        ])
        let total = try #require(insight.domains.first?.total)
        #expect(total.failed == 0)
        #expect(total.unverifiable == 7)
        let text = InsightText(insight, width: 80).lines().joined(separator: "\n")
        #expect(text.contains("cannot verify Ed25519"))
    }

    // MARK: What was signed here

    /// What was signed with selector "s" on some days.
    private static func ledger(_ days: ClosedRange<Int64>, _ selector: String = "s")
        -> SigningLedger
    {
        SigningLedger(
            days.map { day in
                (
                    SigningCount(
                        day: day, domain: "example.org", selector: selector,
                        algorithm: "rsa-sha256", recipient: "lists.example"),
                    SigningNumbers(signatures: 500, messages: 500)
                )
            })
    }

    private static func signed(_ selector: String, _ result: String) -> (inout ReceivedVerdict) ->
        Void
    {
        { verdict in
            verdict.signatures = [.init(domain: "example.org", selector: selector, result: result)]
            verdict.isDKIMAligned = result == "pass"
        }
    }

    @Test func `mail of ours that a forwarder broke is told from mail that never was ours`() throws
    {
        var facts = InsightFacts()
        facts.own = [try #require(IPNetwork("192.0.2.0/24"))]
        let rows = [
            Row("192.0.2.1", 400, Self.signed("s", "pass")), Row("203.0.113.5", 1, Self.broken),
            Row("203.0.113.9", 70, Self.fail), Row("192.0.2.7", 3, Self.fail),
            Row("203.0.113.8", 20, Self.signed("forged", "fail")),
        ]
        let insight = try insight(
            [try Self.report("1", rows)], facts: facts, signed: Self.ledger(Self.day...Self.day))
        let domain = try #require(insight.domains.first)
        let loop = try #require(domain.loop)
        #expect((loop.signed, loop.recipients) == (500, 1))
        #expect((loop.ours, loop.broken) == (401, 1))
        #expect((loop.unsigned, loop.others) == (73, 20))
        let words = try #require(ClosedLoopWords(domain)).sentences
        #expect(
            words == [
                "signed here since 2024-10-04: 500 messages to 1 domain; reports speak of 401, of which 0.2 % failed",
                "at reports.example: 0.2 % of 401 failed, all through lists.example",
                "73 that failed bear no signature of yours: they never passed here",
                "3 of these came from hosts of yours: mail that goes around the signer",
                "20 that failed have a signature that was not made here: selector forged, 20 messages",
            ])
        for text in [
            InsightText(insight, width: nil).lines().joined(separator: "\n"),
            InsightPage(insight).html(),
        ] {
            for sentence in words { #expect(text.contains(sentence), "\(sentence)") }
        }
        // A name in a signature that verifies nowhere is anybody's, and no reason to wait with a stricter policy.
        let source = try #require(domain.sources.first { $0.address == "203.0.113.8" })
        #expect(source.legitimate.messages == 0)
        #expect(domain.sources.first { $0.address == "203.0.113.5" }?.legitimate.messages == 1)
    }

    @Test func `what nobody knows is not guessed`() throws {
        let rows = [
            Row("203.0.113.8", 20, Self.signed("other", "fail")), Row("192.0.2.1", 1, Self.pass),
        ]
        // The log begins after the report's day.
        let late = try insight(
            [try Self.report("1", rows)], signed: Self.ledger(Self.day + 1...Self.day + 1))
        #expect(late.domains.first?.loop?.reported == 0)
        #expect(
            late.domains.first?.sources.first { $0.failed > 0 }?.legitimate.messages == 20)
        // Somebody else signs the domain's mail.
        let foreign = try insight(
            [try Self.report("1", domain: "example.net", rows)],
            signed: Self.ledger(Self.day...Self.day))
        #expect(foreign.domains.first?.loop == nil)
        // Another host signs with a selector of its own, which verifies elsewhere.
        let shared = try insight(
            [
                try Self.report("1", rows),
                try Self.report("2", [Row("192.0.2.9", 9, Self.signed("other", "pass"))]),
            ], signed: Self.ledger(Self.day - 1...Self.day))
        #expect(
            shared.domains.first?.sources.first { $0.failed > 0 }?.legitimate.messages == 20)
    }

    /// The days before a report's count, as mail may wait in a queue.
    @Test func `a selector that is not in use any more was not ours`() throws {
        for (age, ours) in [(0, 5), (5, 5), (6, 0)] as [(Int64, Int64)] {
            let days = Self.day - 30...Self.day - age
            let found = try insight(
                [try Self.report("1", [Row("203.0.113.5", 5, Self.broken)])],
                signed: Self.ledger(days))
            #expect(found.domains.first?.loop?.broken ?? 0 == ours, "\(age)")
        }
    }

    // MARK: Advice

    private func advice(
        _ rows: [Row], days: Int64 = 20,
        facts: InsightFacts = InsightFacts(), published: String? = nil
    ) throws -> Advice {
        let reports = try (0..<days).map { try Self.report("\($0)", day: Self.day - $0, rows) }
        let insight = try insight(reports, facts: facts)
        return Advice(for: try #require(insight.domains.first), published: published)
    }

    @Test func `advice follows what looks like ours`() throws {
        let forged = Row("203.0.113.9", 500, Self.fail)
        let good = Row("192.0.2.1", 1000, Self.pass)
        // Forgeries do not count against a strict policy: they are what it is for.
        #expect(try advice([good, forged]).policy == .reject)
        #expect(try advice([good, forged], days: 3).policy == .quarantine)
        #expect(try advice([Row("192.0.2.1", 2, Self.pass)]).policy == .none)
        #expect(try advice([forged]).policy == .none)
        // A list that breaks one message in a hundred and more.
        let list = try advice([good, Row("203.0.113.5", 20, Self.broken)])
        #expect(list.policy == .none)
        #expect(list.legitimate == 400)
        #expect(try advice([good, Row("203.0.113.5", 5, Self.broken)]).policy == .quarantine)
        // A service that sends for others may be one of ours that nobody has set up.
        let service = try advice([
            good,
            Row("203.0.113.7", 50) { ($0.spfDomain, $0.spfResult) = ("amazonses.com", "pass") },
        ])
        #expect(service.policy == .quarantine)
        #expect(service.reason.contains("Amazon SES"))
        // A host in our own SPF record whose mail fails is a fault of ours.
        var facts = InsightFacts()
        facts.spf = ["example.org": [try #require(IPNetwork("203.0.113.9"))]]
        #expect(try advice([good, forged], facts: facts).policy == .none)
    }

    @Test func `what RejectFailures would have refused is told by what looks real of it`() throws {
        let folder = try TemporaryDirectory("signet-insight")
        let store = SQLiteReportStore(path: folder.file("e.db"))
        func evaluation(
            _ domain: String, _ result: String, _ change: (inout Evaluation) -> Void = { _ in }
        ) -> Evaluation {
            var evaluation = Evaluation(
                received: Self.day * 86_400, reporter: "mx", headerFrom: domain, result: result,
                disposition: result == "fail" ? "quarantine" : "none")
            evaluation.sourceAddress = "192.0.2.1"
            evaluation.policy = Evaluation.Policy(domain: domain, applied: "reject", p: "reject")
            if result == "fail" {
                evaluation.overrides = [
                    .init(kind: "local_policy", comment: "RejectFailures is off")
                ]
            }
            change(&evaluation)
            return evaluation
        }
        try store.write([evaluation("old.example", "pass") { $0.received -= 86_400 * 50 }])
        #expect(
            try InboundAdvice(of: store, in: Self.day...Self.day).answer
                == "no message was evaluated in these days")
        try store.write(
            Array(repeating: evaluation("good.example", "pass"), count: 90)
                + Array(repeating: evaluation("forged.example", "fail"), count: 6)
                + [
                    evaluation("list.example", "fail") { $0.arc = "pass" },
                    evaluation("list.example", "fail") {
                        $0.authentications = [
                            .init(
                                mechanism: "dkim", domain: "list.example", selector: "s",
                                result: "fail"),
                            .init(
                                mechanism: "spf", domain: "lists.example.net", scope: "mfrom",
                                result: "pass"),
                        ]
                    },
                    // Quarantined as the domain asks: it would not be refused.
                    evaluation("soft.example", "fail") { $0.overrides = [] },
                    evaluation("old.example", "fail") {
                        $0.received -= 86_400 * 40
                    },
                ])
        let advice = try InboundAdvice(of: store, in: Self.day - 30...Self.day)
        #expect((advice.messages, advice.failed, advice.refused) == (99, 9, 0))
        #expect(advice.domains.map(\.domain) == ["forged.example", "list.example"])
        #expect((advice.stopped, advice.changed) == (8, 2))
        #expect(
            advice.answer
                == "RejectFailures would have refused 8 of 99 messages (8.1 %): 2 of them look like real mail that a list or forwarder has changed"
        )
        #expect(advice.advice.hasPrefix("name the forwarders in ExemptHosts"))
    }

    @Test func `the record keeps what is published`() throws {
        let good = Row("192.0.2.1", 1000, Self.pass)
        #expect(
            try advice([good], published: "v=DMARC1;p=none ; rua=mailto:a@b.example; adkim=s")
                .record == "v=DMARC1; p=reject; rua=mailto:a@b.example; adkim=s")
        #expect(
            try advice([good], published: "v=DMARC1; sp=none").record
                == "v=DMARC1; p=reject; sp=none")
        #expect(try advice([good]).record.hasPrefix("v=DMARC1; p=reject; rua=mailto:"))
    }

    // MARK: Text and page

    @Test(arguments: [80, 90, 110, 120, 160, 200])
    func `no line is wider than the terminal`(_ width: Int) throws {
        let long = String(repeating: "a", count: 60)
        var facts = InsightFacts()
        facts.name = { _ in "\(long).\(long).example" }
        let insight = try insight(
            [
                try Self.report(
                    "1",
                    [Row("192.0.2.1", 123_456_789, Self.pass), Row("203.0.113.5", 20, Self.broken)])
            ], facts: facts)
        for line in InsightText(insight, width: width).lines() {
            // A word that is too long stays whole, outside of the table.
            #expect(line.count <= width || line.contains(long), "\(line.count): \(line)")
        }
    }

    @Test func `the answer comes first`() throws {
        let insight = try insight([
            try Self.report(
                "1", [Row("192.0.2.1", 41_000, Self.pass), Row("203.0.113.5", 310, Self.broken)])
        ])
        let lines = InsightText(insight, width: nil).lines()
        #expect(
            lines.first
                == "example.org: 99.2 % of 41,310 messages passed; 1 source fails that looks like yours (1 report of 1 reporter, p=none)."
        )
        #expect(
            InsightText(try self.insight([]), width: 80).lines() == ["No reports about these days."]
        )
    }

    @Test func `percents never say all or nothing of what is not`() {
        #expect(Percent.text(99_999, of: 100_000) == "99.9 %")
        #expect(Percent.text(1, of: 100_000) == "0.1 %")
        #expect(Percent.text(0, of: 0) == "–")
        #expect(Percent.number(1_234_567) == "1,234,567")
    }

    @Test func `markup in every field changes nothing in the page`() throws {
        let attack =
            "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;</title></style>"
        var report = try Self.report(
            "<b>1", domain: "example.org",
            [
                Row(
                    "192.0.2.1", 5,
                    {
                        $0.headerFrom = attack
                        $0.envelopeFrom = attack
                        $0.spfDomain = attack
                        $0.spfResult = "pass"
                        $0.reasons = "other: \(attack)"
                        $0.signatures = [.init(domain: attack, selector: attack, result: "fail")]
                    }
                )
            ])
        report.reporter = attack
        report.reporterDomain = attack
        report.domain = attack
        report.notes = [attack]
        var failure = ReceivedReport(kind: .failure)
        (failure.domain, failure.id, failure.begin) = (attack, attack, Self.day * 86_400)
        failure.end = failure.begin
        failure.failure = ReceivedFailure()
        failure.failure?.source = attack
        failure.failure?.failure = attack
        failure.failure?.delivery = attack
        var tls = ReceivedReport(kind: .tls)
        (tls.domain, tls.id, tls.begin, tls.end) = (attack, "1", failure.begin, failure.begin)
        var sessions = ReceivedSessions()
        (sessions.domain, sessions.type, sessions.failed) = (attack, attack, 2)
        sessions.failures = [
            .init(type: attack, host: attack, source: attack, sessions: 2, reason: attack)
        ]
        tls.sessions = [sessions]
        let folder = try TemporaryDirectory("signet-insight")
        let store = try ReceivedReportStore(.file(folder.file("r.db")))
        _ = try store.add([report, failure, tls], at: 0)
        var refusal = ReceivedRefusal(received: Self.day * 86_400)
        (refusal.reporter, refusal.reason, refusal.kept) = (attack, attack, attack)
        try store.remember([refusal])
        let page = InsightPage(try Insight(of: store, since: nil, today: Self.day)).html()
        #expect(page.contains("&lt;script&gt;"))
        for forbidden in [
            "<script", "<img", "onerror=alert(1)>", "http:", "https:", "@import", "url(",
        ] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
        #expect(page.components(separatedBy: "</title>").count == 3)
        #expect(page.components(separatedBy: "</style>").count == 2)
        #expect(page.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
    }

    /// Many addresses take bounded room: the smallest are put together.
    @Test func `very many sources are folded, and the sums stay`() throws {
        let rows = (0..<7000).map { number in
            Row("10.0.\(number / 250).\(number % 250)", Int64(1 + number % 3), Self.fail)
        }
        let insight = try insight([try Self.report("1", rows)])
        let domain = try #require(insight.domains.first)
        #expect(domain.sources.count == 3000)
        #expect(domain.sources.reduce(0) { $0 + $1.messages } == domain.total.messages)
        #expect(domain.total.messages == rows.reduce(0) { $0 + $1.messages })
    }
}
