/// The difference between two texts in the unified form of diff(1).
package enum TextDifference {
    private static let context = 3

    /// The lines of the difference, without the names of the files; none where the texts are the same.
    package static func lines(from old: String, to new: String) -> [String] {
        let before = split(old)
        let after = split(new)
        let difference = after.difference(from: before)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        return hunks(of: merged(before, after, removed, inserted))
    }

    private enum Kind: Character {
        case same = " "
        case removed = "-"
        case inserted = "+"
    }

    private typealias Line = (kind: Kind, text: Substring)

    private static func split(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// All lines of both texts in one order.
    private static func merged(
        _ before: [Substring], _ after: [Substring], _ removed: Set<Int>, _ inserted: Set<Int>
    ) -> [Line] {
        var lines: [Line] = []
        var (old, new) = (0, 0)
        while old < before.count || new < after.count {
            if old < before.count, removed.contains(old) {
                lines.append((.removed, before[old]))
                old += 1
            } else if new < after.count, inserted.contains(new) {
                lines.append((.inserted, after[new]))
                new += 1
            } else {
                if old < before.count { lines.append((.same, before[old])) }
                (old, new) = (old + 1, new + 1)
            }
        }
        return lines
    }

    /// The changed lines with their context, each run under a heading with line numbers.
    private static func hunks(of lines: [Line]) -> [String] {
        let shown = lines.indices.filter { index in
            lines[max(0, index - context)...min(lines.count - 1, index + context)].contains {
                $0.kind != .same
            }
        }
        var result: [String] = []
        var (old, new) = (1, 1)
        var position = 0
        for index in shown {
            if index == 0 || index != position {
                for skipped in lines[position..<index] {
                    if skipped.kind != .inserted { old += 1 }
                    if skipped.kind != .removed { new += 1 }
                }
                result.append("@@ -\(old) +\(new) @@")
            }
            result.append("\(lines[index].kind.rawValue)\(lines[index].text)")
            if lines[index].kind != .inserted { old += 1 }
            if lines[index].kind != .removed { new += 1 }
            position = index + 1
        }
        return result
    }
}
