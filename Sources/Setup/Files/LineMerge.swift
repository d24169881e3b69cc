/// Two changes of one file at once, line by line: what came of a file with both of them.
enum LineMerge {
    /// Lines of the base that become others.
    private struct Hunk: Equatable {
        let range: Range<Int>
        let lines: [ArraySlice<UInt8>]
        /// Whether nothing of the base goes.
        var isInsertion: Bool { range.isEmpty }
    }

    /// The file with both changes; nil where they concern the same lines.
    ///
    /// - Parameters:
    ///   - base: the file before either.
    ///   - one: the file with one change.
    ///   - other: the file with the other.
    /// - Returns: the file with both.
    static func merged(base: [UInt8], _ one: [UInt8], _ other: [UInt8]) -> [UInt8]? {
        let lines = split(base)
        var hunks = hunks(from: lines, to: split(one))
        for hunk in self.hunks(from: lines, to: split(other)) where !hunks.contains(hunk) {
            guard !hunks.contains(where: { isConflict($0, hunk) }) else { return nil }
            hunks.append(hunk)
        }
        hunks.sort {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var result: [UInt8] = []
        var place = 0
        for hunk in hunks {
            result += lines[place..<hunk.range.lowerBound].joined()
            result += hunk.lines.joined()
            place = hunk.range.upperBound
        }
        return result + lines[place...].joined()
    }

    /// Whether two changes cannot both be made.
    private static func isConflict(_ one: Hunk, _ other: Hunk) -> Bool {
        guard one.range.lowerBound <= other.range.upperBound,
            other.range.lowerBound <= one.range.upperBound
        else { return false }
        // What is put in at the edge of what goes stays, unless it goes on with a line before it.
        guard one.isInsertion != other.isInsertion else { return true }
        let (insertion, change) = one.isInsertion ? (one, other) : (other, one)
        let point = insertion.range.lowerBound
        let isWithin = point > change.range.lowerBound && point < change.range.upperBound
        let first = insertion.lines.first?.first
        return isWithin || first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
    }

    /// The lines, each with its line feed.
    private static func split(_ octets: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < octets.count {
            let end = octets[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
            lines.append(octets[start..<(end ?? octets.count)])
            start = end ?? octets.count
        }
        return lines
    }

    private static func hunks(
        from base: [ArraySlice<UInt8>], to new: [ArraySlice<UInt8>]
    ) -> [Hunk] {
        var (removed, inserted): (Set<Int>, Set<Int>) = ([], [])
        for change in new.difference(from: base) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var hunks: [Hunk] = []
        var (old, now) = (0, 0)
        while old < base.count || now < new.count {
            let start = (old, now)
            while removed.contains(old) { old += 1 }
            while inserted.contains(now) { now += 1 }
            if start == (old, now) {
                (old, now) = (old + 1, now + 1)
            } else {
                hunks.append(
                    Hunk(range: start.0..<old, lines: Array(new[start.1..<now])))
            }
        }
        return hunks
    }
}
