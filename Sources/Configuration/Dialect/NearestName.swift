/// Finds the name that a mistyped one was probably meant to be.
enum NearestName {
    /// The candidate closest to `name` without regard to case, or nil when none is close.
    static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        // A third of the letters may be wrong: more than that is guessing.
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let distance = distance(wanted, Array(candidate.lowercased().utf8.prefix(64)))
            guard distance <= Swift.max(1, wanted.count / 3) else { continue }
            if let found = best, found.distance <= distance { continue }
            best = (distance, candidate)
        }
        return best?.name
    }

    /// Insertions, deletions, substitutions and exchanges of neighbours between two words.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1]
            for j in right.indices {
                let cost = left[i] == right[j] ? 0 : 1
                var least = min(previous[j] + cost, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    least = min(least, beforePrevious[j - 1] + 1)
                }
                current.append(least)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
