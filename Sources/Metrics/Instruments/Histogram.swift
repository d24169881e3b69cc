internal import Threads

/// How long things took, in a few classes.
package final class Histogram: Instrument {
    private struct State: Sendable {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let name: MetricName
    private let bounds: [Double]
    private let state: Locked<State>

    /// The classes for decisions about a message and for questions to the DNS: from what is in memory
    /// to what timed out; in seconds.
    package static let latency = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

    /// Begins to measure.
    ///
    /// - Parameters:
    ///   - name: what is measured.
    ///   - bounds: the upper bounds of the classes, rising; a last one takes the rest.
    package init(_ name: MetricName, bounds: [Double] = latency) {
        self.name = name
        self.bounds = bounds
        state = Locked(State(counts: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    /// Takes a measured value; a negative one, or one that is no number, counts as zero.
    package func observe(_ value: Double) {
        let value = value > 0 ? value : 0
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[index] &+= 1
            state.sum += value
        }
    }

    package var family: MetricFamily {
        let state = state.withLock { $0 }
        var samples: [MetricSample] = []
        var total: UInt64 = 0
        for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], state.counts) {
            total &+= count
            samples.append(MetricSample("_bucket", [("le", bound)], "\(total)"))
        }
        samples.append(MetricSample("_sum", [MetricSample.Label](), "\(state.sum)"))
        samples.append(MetricSample("_count", [MetricSample.Label](), "\(total)"))
        return MetricFamily(name, .histogram, samples)
    }
}
