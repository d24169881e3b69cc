internal import FlightRecord

/// The octets of a log, searched for lines from its end.
///
/// Trust: what strangers say is in it. Lines are bounded, and so is how many are given, and how much of the log is in memory at a time.
package struct MailLogFile: Sendable {
    private let size: Int
    private let read: @Sendable (Range<Int>) -> [UInt8]

    /// The longest line that is read, in octets.
    private static let longestLine = 8_192
    /// How many octets are searched at a time.
    private static let piece = 4 << 20
    /// How far lines may be from the order of time, in microseconds: each is written by another process.
    private static let disorder: Int64 = 60_000_000
    /// How far back the clock may have gone: the traditional form has no zone, and an hour twice when summer time ends.
    private static let setBack: Int64 = 3_600_000_000

    /// Whether the lines that were found are enough.
    ///
    /// - Parameters:
    ///   - since: all lines since this time have been looked at, in microseconds since 1970; nil where that is not known.
    ///   - found: the lines of the last piece.
    package typealias Sufficiency = (_ since: Int64?, _ found: [MailLogLine]) -> Bool

    /// Searches in these octets.
    package init(_ octets: [UInt8]) {
        self.init(size: octets.count) { Array(octets[$0.clamped(to: octets.indices)]) }
    }

    /// Searches in octets that are read as they are needed.
    ///
    /// - Parameters:
    ///   - size: how many there are.
    ///   - read: gives those of a range; fewer where they are gone.
    package init(size: Int, read: @escaping @Sendable (Range<Int>) -> [UInt8]) {
        self.size = size
        self.read = read
    }

    /// The lines in which one of some texts stands, in the order of the log.
    ///
    /// - Parameters:
    ///   - texts: the texts.
    ///   - span: when they were written, in microseconds since 1970; nil for any time.
    ///   - limit: how many are given at most: the last.
    ///   - calendar: knows the year and the zone of the traditional form.
    ///   - isEnough: whether nothing older is to be looked for.
    /// - Returns: the lines.
    package func lines(
        with texts: [String], in span: ClosedRange<Int64>? = nil, limit: Int,
        calendar: MailLogLine.Calendar, until isEnough: Sufficiency = { _, _ in false }
    ) -> [MailLogLine] {
        let search = NeedleSearch(texts.map { Array($0.utf8) })
        // The newest piece first, each with its lines in order.
        var pieces: [[MailLogLine]] = []
        var room = limit
        var end = size
        // Whether the piece ends in the middle of a line that is longer than one.
        var endsInLine = false
        while end > 0, room > 0 {
            let start = max(0, end - Self.piece)
            if let next = endOfPiece(behind: span, from: start, endsInLine, calendar) {
                end = next
                continue
            }
            var octets = read(start..<end)
            if endsInLine {
                // Its beginning is no line.
                octets.removeSubrange((octets.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)...)
            }
            // A line that begins before the piece is read with the piece before it.
            var first = 0
            if start > 0 {
                first = OctetSearch.first([0x0A], in: octets).map { $0 + 1 } ?? octets.count
            }
            endsInLine = first >= octets.count
            end = start + (endsInLine ? 0 : first)
            guard !endsInLine else { continue }
            let begin = time(of: octets, from: first, calendar)
            let found = lines(search, octets, from: first, in: span, limit: room, calendar)
            room -= found.count
            pieces.append(found)
            let since = begin.map { Self.later($0, by: Self.disorder) }
            if let span, let since, Self.later(since, by: Self.setBack) < span.lowerBound { break }
            if isEnough(since, found) { break }
        }
        return pieces.reversed().flatMap(\.self)
    }

    /// The end of the piece before one that begins so late that none of its lines is of a span; nil where it is to be searched.
    ///
    /// Of such a piece hardly more than the first line is read.
    private func endOfPiece(
        behind span: ClosedRange<Int64>?, from start: Int, _ endsInLine: Bool,
        _ calendar: MailLogLine.Calendar
    ) -> Int? {
        guard let span, span.upperBound < .max, start > 0, !endsInLine else { return nil }
        let octets = read(start..<min(size, start + 2 * Self.longestLine))
        guard let first = OctetSearch.first([0x0A], in: octets).map({ $0 + 1 }),
            let time = time(of: octets, from: first, calendar),
            time > Self.later(Self.later(span.upperBound, by: Self.disorder), by: Self.setBack)
        else { return nil }
        return start + first
    }

    private static func later(_ time: Int64, by span: Int64) -> Int64 {
        let (later, overflows) = time.addingReportingOverflow(span)
        return overflows ? .max : later
    }

    /// When the first line of a piece was written; nil where it does not say.
    private func time(
        of octets: [UInt8], from start: Int, _ calendar: MailLogLine.Calendar
    ) -> Int64? {
        let end = Self.end(of: octets, from: start)
        guard end - start <= Self.longestLine else { return nil }
        let text = String(decoding: octets[start..<end], as: UTF8.self)
        return MailLogLine(text[...], calendar: calendar)?.time
    }

    private func lines(
        _ search: NeedleSearch, _ octets: [UInt8], from first: Int, in span: ClosedRange<Int64>?,
        limit: Int, _ calendar: MailLogLine.Calendar
    ) -> [MailLogLine] {
        var found: [Range<Int>] = []
        search.each(in: octets, from: first) { hit in
            var start = hit
            while start > first, octets[start - 1] != 0x0A { start -= 1 }
            let end = Self.end(of: octets, from: hit)
            if end - start <= Self.longestLine { found.append(start..<end) }
            return end
        }
        // The last ones that are of the span: what comes after it takes no room.
        var lines: [MailLogLine] = []
        for range in found.reversed() where lines.count < limit {
            let text = String(decoding: octets[range], as: UTF8.self)
            guard let line = MailLogLine(text[...], calendar: calendar),
                span?.contains(line.time) ?? true
            else { continue }
            lines.append(line)
        }
        return lines.reversed()
    }

    private static func end(of octets: [UInt8], from start: Int) -> Int {
        OctetSearch.first([0x0A], in: octets, from: start) ?? octets.count
    }
}
