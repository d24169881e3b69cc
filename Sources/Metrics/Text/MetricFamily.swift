/// The samples of one name, with its meaning.
package struct MetricFamily: Hashable, Sendable {
    /// The types that are used here.
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
        case info
    }

    /// The name and its meaning.
    package let name: MetricName
    /// The type.
    package let kind: Kind
    /// The samples, in order.
    package var samples: [MetricSample]

    /// Puts a family together.
    package init(_ name: MetricName, _ kind: Kind, _ samples: [MetricSample]) {
        self.name = name
        self.kind = kind
        self.samples = samples
    }
}

/// One number.
package struct MetricSample: Hashable, Sendable {
    /// A label and its value.
    package struct Label: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    /// What follows the family's name: `_total`, `_bucket`, or nothing.
    package let suffix: String
    /// The labels, in order.
    package let labels: [Label]
    /// The number as it is written.
    package let value: String

    /// Makes a sample.
    package init(_ suffix: String, _ labels: [(String, String)], _ value: String) {
        self.init(suffix, labels.map { Label(name: $0.0, value: $0.1) }, value)
    }

    init(_ suffix: String, _ labels: [Label], _ value: String) {
        self.suffix = suffix
        self.labels = labels
        self.value = value
    }

    /// The sample with one more label, before the others.
    package func labelled(_ name: String, _ value: String) -> MetricSample {
        MetricSample(suffix, [Label(name: name, value: value)] + labels, self.value)
    }

    /// A number as it is written: without a fraction where it has none.
    package static func text(of value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }
}
