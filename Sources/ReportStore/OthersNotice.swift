/// The line about messages that a full store counts as others: at most once a minute.
struct OthersNotice {
    /// Seconds between two lines.
    private static let interval: Int64 = 60

    /// Messages since the last line.
    private var others = 0
    private var next: Int64 = 0

    /// Counts messages that were left out.
    mutating func add(_ count: Int) { others += count }

    /// The line, when it is due.
    ///
    /// - Parameter now: The time, in seconds since 1970.
    /// - Returns: One line or none.
    mutating func lines(at now: Int64) -> [String] {
        guard others > 0, now >= next else { return [] }
        defer { others = 0 }
        next = now + Self.interval
        return ["it has come to its limit: \(others) evaluations are counted as others only"]
    }
}
