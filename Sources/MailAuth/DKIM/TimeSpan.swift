/// A span of time in the units that people use: `34 days`, `5 hours`, `1 second`.
struct TimeSpan: CustomStringConvertible {
    private let seconds: Int64

    /// A span of so many seconds.
    init(_ seconds: Int64) { self.seconds = seconds }

    private static let units: [(name: String, seconds: Int64)] = [
        ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1),
    ]

    /// The span in the largest unit of which there are two, so that little is lost.
    var description: String {
        let unit = Self.units.first { seconds / $0.seconds >= 2 } ?? ("second", 1)
        let count = seconds / unit.seconds
        return "\(count) \(unit.name)\(count == 1 ? "" : "s")"
    }
}
