import Foundation
import MailSyntax
import ReportStore
import SigningLog
import TestKit
import Testing

@testable import ReportInsight

/// What is made of received reports: sums, sources and days; signatures of ours, advice and the page are in the files beside this one.
@Suite struct InsightTests {
    static let day: Int64 = 20_000

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

    static func pass(_ verdict: inout ReceivedVerdict) {
        (verdict.isDKIMAligned, verdict.isSPFAligned) = (true, true)
    }

    static func fail(_ verdict: inout ReceivedVerdict) {}

    /// A forwarder: our signature passes, and SPF is that of the forwarder.
    static func forward(_ verdict: inout ReceivedVerdict) {
        verdict.isDKIMAligned = true
        (verdict.spfDomain, verdict.spfResult) = ("lists.example", "pass")
    }

    /// A list that changed the message: our signature is there and does not verify.
    static func broken(_ verdict: inout ReceivedVerdict) {
        verdict.signatures = [.init(domain: "example.org", selector: "s", result: "fail")]
        (verdict.spfDomain, verdict.spfResult) = ("lists.example", "pass")
    }

    /// What a store with reports shows.
    func insight(
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
}
