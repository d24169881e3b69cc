/// Two changes of one file at once, line by line: what came of a file with both of them.
enum LineMerge {
    /// Lines of the base that become others.
    private struct Hunk: Equatable {
        let range: Range<Int>
        let lines: [ArraySlice<UInt8>]
        /// Whether nothing of the base goes.
        var isInsertion: Bool { range.isEmpty }
    }

    /// The most lines of either side that are compared beside what both begin and end with: what it
    /// takes grows with the square of what differs.
    private static let mostLines = 1_000

    /// The file with both changes; nil where they concern the same lines, or are too large to be compared.
    ///
    /// - Parameters:
    ///   - base: the file before either.
    ///   - one: the file with one change.
    ///   - other: the file with the other.
    /// - Returns: the file with both.
    static func merged(base: [UInt8], _ one: [UInt8], _ other: [UInt8]) -> [UInt8]? {
        let lines = split(base)
        guard var hunks = hunks(from: lines, to: split(one)),
            let others = self.hunks(from: lines, to: split(other))
        else { return nil }
        for hunk in others where !hunks.contains(hunk) {
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

    /// What makes new lines of those of the base; nil where too much differs.
    private static func hunks(
        from base: [ArraySlice<UInt8>], to new: [ArraySlice<UInt8>]
    ) -> [Hunk]? {
        let shorter = min(base.count, new.count)
        var head = 0
        while head < shorter, base[head] == new[head] { head += 1 }
        var tail = 0
        while tail < shorter - head, base[base.count - 1 - tail] == new[new.count - 1 - tail] {
            tail += 1
        }
        let oldMiddle = base[head..<base.count - tail]
        let newMiddle = new[head..<new.count - tail]
        guard max(oldMiddle.count, newMiddle.count) <= mostLines else { return nil }
        var (removed, inserted): (Set<Int>, Set<Int>) = ([], [])
        for change in newMiddle.difference(from: oldMiddle) {
            switch change {
            case .remove(let offset, _, _): removed.insert(head + offset)
            case .insert(let offset, _, _): inserted.insert(head + offset)
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
