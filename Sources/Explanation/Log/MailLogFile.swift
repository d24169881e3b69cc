internal import FlightRecord

/// The octets of a log, searched for lines.
///
/// Trust: what strangers say is in it. Lines are bounded, and so is how many are given.
package struct MailLogFile: Sendable {
    private let octets: [UInt8]

    /// The longest line that is read, in octets.
    private static let longestLine = 8_192
    /// The most lines that are given for one search: the last.
    private static let mostLines = 20_000

    /// Searches in these octets.
    package init(_ octets: [UInt8]) { self.octets = octets }

    /// The lines in which one of some texts stands, in the order of the log.
    package func lines(
        with texts: [String], calendar: MailLogLine.Calendar
    ) -> [MailLogLine] {
        var starts: Set<Int> = []
        for text in texts where !text.isEmpty {
            let needle = Array(text.utf8)
            var found: [Int] = []
            var offset = 0
            while let hit = OctetSearch.first(needle, in: octets, from: offset) {
                // The last ones are asked for as a rule.
                if found.count == 2 * Self.mostLines { found.removeFirst(Self.mostLines) }
                let range = line(around: hit)
                found.append(range.lowerBound)
                offset = max(range.upperBound, hit + 1)
            }
            starts.formUnion(found.suffix(Self.mostLines))
        }
        return starts.sorted().suffix(Self.mostLines).compactMap { start in
            let range = start..<end(from: start)
            guard range.count <= Self.longestLine else { return nil }
            let text = String(decoding: octets[range], as: UTF8.self)
            return MailLogLine(text[...], calendar: calendar)
        }
    }

    private func line(around hit: Int) -> Range<Int> {
        var start = hit
        while start > 0, octets[start - 1] != 0x0A { start -= 1 }
        return start..<end(from: hit)
    }

    private func end(from start: Int) -> Int {
        var end = start
        while end < octets.count, octets[end] != 0x0A { end += 1 }
        return end
    }
}
