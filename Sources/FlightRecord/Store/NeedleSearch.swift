/// A search for many texts at once, which passes over the octets once and over most of them in leaps.
///
/// The algorithm is that of Wu and Manber, "A fast algorithm for multi-pattern searching" (1994): the
/// last two octets of a window as long as the shortest text tell how far the next place may lie at
/// least where one of the texts can end.
package struct NeedleSearch: Sendable {
    private let needles: [[UInt8]]
    /// The length of the shortest text.
    private let window: Int
    /// How far to leap, by the two last octets of the window.
    private let leaps: [UInt8]
    /// The texts whose window ends with two octets, as a list: the first one, and the next of each.
    private let first: [Int32]
    private let next: [Int32]

    /// Texts that are shorter leave nothing to leap over.
    private static let shortest = 4

    /// Prepares to look for some texts; empty ones are nowhere.
    package init(_ texts: [[UInt8]]) {
        needles = Array(Set(texts)).filter { !$0.isEmpty }
        window = min(needles.map(\.count).min() ?? 0, 200)
        guard window >= Self.shortest else {
            (leaps, first, next) = ([], [], [])
            return
        }
        var leaps = [UInt8](repeating: UInt8(window - 1), count: 1 << 16)
        var first = [Int32](repeating: -1, count: 1 << 16)
        var next = [Int32](repeating: -1, count: needles.count)
        for (index, needle) in needles.enumerated() {
            for end in 1..<window {
                let pair = Self.pair(needle[end - 1], needle[end])
                leaps[pair] = min(leaps[pair], UInt8(window - 1 - end))
                guard end == window - 1 else { continue }
                next[index] = first[pair]
                first[pair] = Int32(index)
            }
        }
        (self.leaps, self.first, self.next) = (leaps, first, next)
    }

    /// Two octets as the processor reads them at once.
    private static func pair(_ first: UInt8, _ second: UInt8) -> Int {
        Int(UInt16(littleEndian: UInt16(first) | UInt16(second) << 8))
    }

    /// Calls for every place where one of the texts stands, in order, until the end of the octets.
    ///
    /// - Parameters:
    ///   - octets: where to look.
    ///   - start: the offset at which to begin.
    ///   - found: takes the offset of a place and says from where to go on; that is behind the place.
    package func each(
        in octets: [UInt8], from start: Int = 0, found: (Int) -> Int
    ) {
        guard window >= Self.shortest else { return eachOfShort(in: octets, from: start, found) }
        var offset = max(0, start)
        while let place = place(in: octets, from: offset) {
            offset = max(found(place), place + 1)
        }
    }

    /// The first place at an offset or behind it.
    private func place(in octets: [UInt8], from start: Int) -> Int? {
        unsafe octets.withUnsafeBytes { octets in
            unsafe leaps.withUnsafeBufferPointer { leaps in
                // The offset of the window's last two octets.
                var pair = start + window - 2
                let last = octets.count - 2
                while pair <= last {
                    let value = unsafe Int(
                        octets.loadUnaligned(fromByteOffset: pair, as: UInt16.self))
                    let leap = unsafe leaps[value]
                    if leap > 0 {
                        pair &+= Int(leap)
                        continue
                    }
                    let place = pair + 2 - window
                    var candidate = first[value]
                    while candidate >= 0 {
                        let needle = needles[Int(candidate)]
                        if unsafe Self.stands(needle, at: place, in: octets) { return place }
                        candidate = next[Int(candidate)]
                    }
                    pair += 1
                }
                return nil
            }
        }
    }

    private static func stands(
        _ needle: [UInt8], at place: Int, in octets: UnsafeRawBufferPointer
    ) -> Bool {
        guard needle.count <= octets.count - place else { return false }
        for index in 0..<needle.count where unsafe octets[place + index] != needle[index] {
            return false
        }
        return true
    }

    /// With a text of hardly any length: each of them is looked for by itself.
    private func eachOfShort(in octets: [UInt8], from start: Int, _ found: (Int) -> Int) {
        var offset = max(0, start)
        var places = needles.map { OctetSearch.first($0, in: octets, from: offset) }
        while let place = places.compactMap(\.self).min() {
            offset = max(found(place), place + 1)
            for index in places.indices {
                guard let known = places[index], known < offset else { continue }
                places[index] = OctetSearch.first(needles[index], in: octets, from: offset)
            }
        }
    }
}
