import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportInsight

/// What is shown of the reports: text and page.
extension InsightTests {
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
