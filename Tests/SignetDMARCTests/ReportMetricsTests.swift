import DaemonKit
import Metrics
import ReportStore
import TestKit
import Testing
import Threads

@testable import signet_dmarc

/// What is counted of reports only grows, and each report counts once.
struct ReportMetricsTests {
    private static let now: Int64 = 1_764_250_000
    private static let today = now / 86_400

    /// The value of a sample; nil where there is none.
    private static func value(
        _ families: [MetricFamily], _ name: String, _ label: String? = nil
    ) -> String? {
        let family = families.first(where: { $0.name.name == name })
        let sample = family?.samples.first { sample in
            label.map { label in sample.labels.contains { $0.value == label } } ?? true
        }
        return sample?.value
    }

    @Test func countersOnlyGrow() throws {
        let folder = try TemporaryDirectory("signet-report-metrics")
        let location = try #require(StoreLocation(folder.file("reports.db")))
        var policy = RecordPolicy()
        policy.store = location
        let records = Records(policy, log: Log(level: .error, collecting: { _, _ in }))
        defer { records.close() }
        // The daemon's own store is there first.
        try location.store().write([])
        let store = try ReceivedReportStore(location)
        let outbox = try location.outbox()
        let metrics = ReportMetrics(location, records)
        let start = MonotonicTime.now()
        var minutes = 0.0
        /// The families some minutes later.
        func look() -> [MetricFamily] {
            minutes += 2
            return metrics.families(now: Self.now, at: start + 60 * minutes)
        }
        var foreign = ReceivedRefusal(received: Self.now)
        foreign.isForeign = true
        try store.remember(
            [foreign] + Array(repeating: ReceivedRefusal(received: Self.now), count: 1_999))
        try outbox.add([
            OutgoingReport(
                id: "one", day: Self.today, domain: "d.example", messages: 1, mail: "mail\n",
                created: Self.now,
                destinations: [
                    .init("mailto:a@d.example", state: .waiting, next: 0),
                    .init("mailto:b@d.example", state: .suppressed, reason: "why", next: 0),
                ])
        ])
        let first = look()
        #expect(Self.value(first, "signet_reports_received", "refused") == "1999")
        #expect(Self.value(first, "signet_reports_received", "foreign") == "1")
        #expect(Self.value(first, "signet_reports_waiting") == "1")
        #expect(Self.value(first, "signet_reports_sent", "suppressed") == "1")
        #expect(Self.value(first, "signet_reports_sent", "sent") == "0")
        #expect(Self.value(first, "signet_reports_sent", "waiting") == nil)
        // The store keeps 2,000 at most.
        try store.remember(Array(repeating: ReceivedRefusal(received: Self.now), count: 100))
        let due = try #require(try outbox.due(at: Self.now, atMost: 1).first)
        try outbox.record(due, .sent, reason: "", next: 0)
        let second = look()
        #expect(Self.value(second, "signet_reports_received", "refused") == "2099")
        #expect(Self.value(second, "signet_reports_received", "foreign") == "1")
        #expect(Self.value(second, "signet_reports_waiting") == "0")
        #expect(Self.value(second, "signet_reports_sent", "sent") == "1")
        // A day goes while another comes.
        try outbox.forget(before: Self.today + 1)
        try outbox.add([
            OutgoingReport(
                id: "two", day: Self.today + 1, domain: "d.example", messages: 1, mail: "mail\n",
                created: Self.now,
                destinations: [.init("mailto:a@d.example", state: .sent, next: 0)])
        ])
        #expect(Self.value(look(), "signet_reports_sent", "sent") == "2")
        #expect(Self.value(look(), "signet_reports_sent", "sent") == "2")
    }
}
