import MailSyntax
import ReportStore
import TestKit
import Testing

@testable import ReportInsight

/// Which policy the reports allow, and what a stricter one of ours would have refused.
extension InsightTests {
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
}
