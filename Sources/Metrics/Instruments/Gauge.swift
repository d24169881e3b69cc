/// A state that is looked up when it is asked for.
package struct Gauge: Instrument {
    private let name: MetricName
    private let labels: [(String, String)]
    private let value: @Sendable () -> Double?

    /// Looks a value up.
    ///
    /// - Parameters:
    ///   - name: what the state is.
    ///   - labels: labels with their values.
    ///   - value: gives the state; nil where there is none to tell.
    package init(
        _ name: MetricName, labels: [(String, String)] = [],
        _ value: @escaping @Sendable () -> Double?
    ) {
        self.name = name
        self.labels = labels
        self.value = value
    }

    package var family: MetricFamily {
        let sample = value().map { MetricSample("", labels, MetricSample.text(of: $0)) }
        return MetricFamily(name, .gauge, sample.map { [$0] } ?? [])
    }
}
