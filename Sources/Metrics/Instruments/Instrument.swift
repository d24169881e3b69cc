/// Something that counts or measures, and can be read at any time.
package protocol Instrument: Sendable {
    /// What it has counted so far.
    var family: MetricFamily { get }
}

/// What a family of metrics is called, and what it means.
package struct MetricName: Hashable, Sendable {
    /// The name without `_total`: `signet_messages`.
    package let name: String
    /// What is counted, in a sentence without a full stop.
    package let help: String
    /// The unit, where there is one, such as `seconds`, with which the name ends.
    package let unit: String?

    /// Names a family.
    package init(_ name: String, unit: String? = nil, _ help: String) {
        self.name = name
        self.help = help
        self.unit = unit
    }
}
