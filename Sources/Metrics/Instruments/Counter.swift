internal import Threads

/// Counts events under labels of bounded number.
///
/// What strangers decide is no label's value: it would fill the memory of whoever collects them.
/// Where there are more combinations than allowed all the same, the rest is counted as `other`.
package final class Counter: Instrument {
    private let name: MetricName
    private let labels: [String]
    private let limit: Int
    private let counts: Locked<[[String]: UInt64]>

    /// What stands for the combinations beyond the limit.
    package static let other = "other"

    /// Begins to count.
    ///
    /// - Parameters:
    ///   - name: what is counted.
    ///   - labels: the names of the labels.
    ///   - limit: how many combinations are kept apart.
    ///   - known: combinations that are shown with zero from the start, so that a rise from nothing
    ///     is seen.
    package init(
        _ name: MetricName, labels: [String] = [], limit: Int = 200, known: [[String]] = []
    ) {
        self.name = name
        self.labels = labels
        self.limit = limit
        var counts: [[String]: UInt64] = [:]
        for values in labels.isEmpty ? [[]] : known { counts[values] = 0 }
        self.counts = Locked(counts)
    }

    /// Counts an event.
    ///
    /// - Parameters:
    ///   - values: the values of the labels, in their order.
    ///   - count: how many events.
    package func add(_ values: [String] = [], count: UInt64 = 1) {
        guard values.count == labels.count else { return }
        counts.withLock { counts in
            if let index = counts.index(forKey: values) {
                counts.values[index] &+= count
            } else if counts.count < limit {
                counts[values] = count
            } else {
                counts[values.map { _ in Self.other }, default: 0] &+= count
            }
        }
    }

    package var family: MetricFamily {
        let samples = counts.withLock { $0 }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { values, count in
                MetricSample("_total", Array(zip(labels, values)), "\(count)")
            }
        return MetricFamily(name, .counter, samples)
    }
}
