/// Which entries to look at: those of some times and of a daemon.
package struct FlightScope: Sendable {
    /// Spans of time in order, none touching another; nil for any time.
    private let spans: [ClosedRange<Int64>]?
    private let daemon: FlightDaemon?

    /// Entries of any of some spans; in microseconds since 1970.
    ///
    /// - Parameters:
    ///   - spans: the spans, in any order; nil for any time.
    ///   - daemon: whose entries; nil for all.
    package init(_ spans: [ClosedRange<Int64>]? = nil, by daemon: FlightDaemon? = nil) {
        self.daemon = daemon
        self.spans = spans.map(Self.merged)
    }

    /// Entries from a time on, in microseconds since 1970.
    package init(since time: Int64) { self.init([time...Int64.max]) }

    /// Those of these entries that are from a time on.
    package func since(_ time: Int64) -> FlightScope {
        let spans = (spans ?? [time...Int64.max]).filter { $0.upperBound >= time }
        return FlightScope(
            spans.map { max($0.lowerBound, time)...$0.upperBound }, by: daemon)
    }

    private static func merged(_ spans: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var merged: [ClosedRange<Int64>] = []
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, last.upperBound >= span.lowerBound {
                merged[merged.count - 1] =
                    last.lowerBound...max(last.upperBound, span.upperBound)
            } else {
                merged.append(span)
            }
        }
        return merged
    }

    /// Whether some of these entries may lie within a span.
    func concerns(_ span: ClosedRange<Int64>) -> Bool {
        spans?.contains { $0.overlaps(span) } ?? true
    }

    /// Whether an entry of a time and a daemon is one of these.
    package func has(_ time: Int64, _ daemon: FlightDaemon) -> Bool {
        guard self.daemon == nil || self.daemon == daemon else { return false }
        guard let spans else { return true }
        // The last span that has begun by then is the only one that may have it.
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].lowerBound <= time { low = middle + 1 } else { high = middle }
        }
        return low > 0 && spans[low - 1].contains(time)
    }
}
