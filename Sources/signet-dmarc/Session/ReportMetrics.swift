import Metrics
import ReportStore
import Threads

/// What the report store tells a collector: how recording goes, and what became of reports, ours and
/// those of others.
///
/// The store is read on the thread that gives the metrics, once a minute at most.
final class ReportMetrics: Sendable {
    private struct State: Sendable {
        var read: MonotonicTime?
        /// What was in the store at the last look.
        var last: [[String]: UInt64] = [:]
        var lastReceived: Int64?
    }

    private let location: StoreLocation?
    private let records: Records
    private let state = Locked(State())
    private let sent = Counter(
        MetricName("signet_reports_sent", "Aggregate reports by what became of them"),
        labels: ["outcome"], known: DeliveryState.allCases.map { [$0.rawValue] })
    private let received = Counter(
        MetricName("signet_reports_received", "Reports of others by what became of them"),
        labels: ["outcome"], known: [["imported"], ["refused"], ["foreign"]])
    private let messages = Counter(
        MetricName(
            "signet_dmarc_reported_messages", "Messages that others have reported, of own domains"),
        labels: ["domain", "aligned"])

    /// How long what was read holds, in seconds.
    private static let validity = 60.0
    /// How far back reports are looked at, in days.
    private static let span: Int64 = 30

    /// Looks at a store.
    init(_ location: StoreLocation?, _ records: Records) {
        self.location = location
        self.records = records
    }

    /// The families as they are now; none without a store.
    func families(now: Int64) -> [MetricFamily] {
        guard let location, let tally = records.tally else { return [] }
        let lastReceived = state.withLock { state -> Int64? in
            let moment = MonotonicTime.now()
            if state.read.map({ moment.seconds(since: $0) >= Self.validity }) ?? true {
                state.read = moment
                look(at: location, now: now, &state)
            }
            return state.lastReceived
        }
        return [
            MetricFamily(
                MetricName("signet_report_evaluations", "Evaluations on their way into the store"),
                .counter,
                [
                    MetricSample("_total", [("fate", "taken")], "\(tally.taken)"),
                    MetricSample("_total", [("fate", "dropped")], "\(tally.dropped)"),
                ]),
            MetricFamily(
                MetricName("signet_report_rows", "Evaluations that are not in the store yet"),
                .gauge, [MetricSample("", [("state", "waiting")], "\(tally.waiting)")]),
            sent.family, received.family, messages.family,
            MetricFamily(
                MetricName(
                    "signet_report_last_received_timestamp_seconds", unit: "seconds",
                    "When a report of others was imported last, since 1970"),
                .gauge, lastReceived.map { [MetricSample("", [], "\($0)")] } ?? []),
        ]
    }

    /// Reads the store; where that fails, what was known stays.
    private func look(at location: StoreLocation, now: Int64, _ state: inout State) {
        var found: [[String]: UInt64] = [:]
        var lastReceived = state.lastReceived
        let day = now / 86_400 - Self.span
        do throws(SinkError) {
            try location.outbox(isReadOnly: true).deliveries { delivery in
                found[["sent", delivery.state.rawValue], default: 0] += 1
            }
            let store = try ReceivedReportStore(location, isReadOnly: true)
            try store.reports(since: day) { stored in
                found[["received", "imported"], default: 0] += 1
                lastReceived = max(lastReceived ?? 0, stored.received)
                let passed = UInt64(clamping: stored.passed)
                let all = UInt64(clamping: stored.report.messages)
                let domain = stored.report.domain
                found[["messages", domain, "yes"], default: 0] += passed
                found[["messages", domain, "no"], default: 0] += all > passed ? all - passed : 0
            }
            for refusal in try store.refusals(since: day * 86_400, atMost: 2_000) {
                found[["received", refusal.isForeign ? "foreign" : "refused"], default: 0] += 1
            }
        } catch {
            // There is no store yet, or another writes to it: the next look tells.
            return
        }
        state.lastReceived = lastReceived
        for (key, count) in found {
            // What leaves the store was counted when it came; at the start all is new.
            let before = state.last[key] ?? 0
            guard count > before, let kind = key.first else { continue }
            counter(kind)?.add(Array(key.dropFirst()), count: count - before)
        }
        state.last = found
    }

    private func counter(_ kind: String) -> Counter? {
        switch kind {
        case "sent": sent
        case "received": received
        case "messages": messages
        default: nil
        }
    }
}
