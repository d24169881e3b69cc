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
        var last: [Counted: UInt64] = [:]
        /// The number of the last refusal that was counted.
        var lastRefusal: Int64 = 0
        var lastReceived: Int64?
        /// How many reports are to be sent.
        var waiting = 0
    }

    /// What is counted, of each day by itself: what leaves the store with its day is not missed by the days
    /// that come.
    private struct Counted: Hashable, Sendable {
        let kind: Kind
        var labels: [String]
        let day: Int64
    }

    private enum Kind: Hashable, Sendable {
        case sent
        case received
        case messages
    }

    private let location: StoreLocation?
    private let records: Records
    private let state = Locked(State())
    private let sent = Counter(
        MetricName("signet_reports_sent", "Aggregate reports by what became of them"),
        labels: ["outcome"],
        known: DeliveryState.allCases.filter { $0 != .waiting }.map { [$0.rawValue] })
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
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - moment: the same moment on the monotonic clock.
    /// - Returns: the families.
    func families(now: Int64, at moment: MonotonicTime = .now()) -> [MetricFamily] {
        guard let location, let tally = records.tally else { return [] }
        let (lastReceived, waiting) = state.withLock { state in
            if state.read.map({ moment.seconds(since: $0) >= Self.validity }) ?? true {
                state.read = moment
                look(at: location, now: now, &state)
            }
            return (state.lastReceived, state.waiting)
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
                MetricName("signet_reports_waiting", "Reports that are to be sent, now or later"),
                .gauge, [MetricSample("", [], "\(waiting)")]),
            MetricFamily(
                MetricName(
                    "signet_report_last_received_timestamp_seconds", unit: "seconds",
                    "When a report of others was imported last, since 1970"),
                .gauge, lastReceived.map { [MetricSample("", [], "\($0)")] } ?? []),
        ]
    }

    /// Reads the store; where that fails, what was known stays.
    private func look(at location: StoreLocation, now: Int64, _ state: inout State) {
        var found: [Counted: UInt64] = [:]
        var lastReceived = state.lastReceived
        var waiting = 0
        var refusals: (foreign: Int64, refused: Int64, last: Int64)
        let day = now / 86_400 - Self.span
        do throws(SinkError) {
            try location.outbox(isReadOnly: true).deliveries { delivery in
                guard delivery.state != .waiting else {
                    waiting += 1
                    return
                }
                // What was sent and comes back counts as both.
                let sent = Counted(
                    kind: .sent, labels: [delivery.state.rawValue], day: delivery.day)
                found[sent, default: 0] += 1
            }
            let store = try ReceivedReportStore(location, isReadOnly: true)
            try store.reports(since: day) { stored in
                let day = stored.report.day
                lastReceived = max(lastReceived ?? 0, stored.received)
                let passed = UInt64(clamping: stored.passed)
                let all = UInt64(clamping: stored.report.messages)
                let imported = Counted(kind: .received, labels: ["imported"], day: day)
                found[imported, default: 0] += 1
                var messages = Counted(
                    kind: .messages, labels: [stored.report.domain, "yes"], day: day)
                found[messages, default: 0] += passed
                messages.labels[1] = "no"
                found[messages, default: 0] += all > passed ? all - passed : 0
            }
            refusals = try store.refusalCounts(after: state.lastRefusal)
            if refusals.last < state.lastRefusal {
                // Another store has taken its place, whose numbers begin anew.
                refusals = try store.refusalCounts(after: 0)
            }
        } catch {
            // There is no store yet, or another writes to it: the next look tells.
            return
        }
        (state.lastReceived, state.lastRefusal) = (lastReceived, refusals.last)
        state.waiting = waiting
        received.add(["foreign"], count: UInt64(clamping: refusals.foreign))
        received.add(["refused"], count: UInt64(clamping: refusals.refused))
        for (counted, count) in found {
            // What leaves the store was counted when it came; at the start all is new.
            let before = state.last[counted] ?? 0
            guard count > before else { continue }
            counter(counted.kind).add(counted.labels, count: count - before)
        }
        state.last = found
    }

    private func counter(_ kind: Kind) -> Counter {
        switch kind {
        case .sent: sent
        case .received: received
        case .messages: messages
        }
    }
}
