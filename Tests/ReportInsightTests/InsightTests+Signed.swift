import MailSyntax
import ReportStore
import SigningLog
import Testing

@testable import ReportInsight

/// What reports say of the mail that was signed here.
extension InsightTests {
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

    @Test func `invented reporters hide no failure`() throws {
        let forged = try (0..<1_001).map { number in
            var report = try Self.report(
                "\(number)", [Row("192.0.2.1", 1, Self.signed("s", "pass"))])
            report.reporterDomain = "r\(number).example"
            return report
        }
        let real = try Self.report("real", [Row("203.0.113.5", 500, Self.broken)])
        let found = try insight(forged + [real], signed: Self.ledger(Self.day...Self.day))
        let loop = try #require(found.domains.first?.loop)
        #expect((loop.ours, loop.broken) == (1_501, 500))
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
}
