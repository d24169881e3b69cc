/// The facts of an entry as a file has them: for each its key, its length in two octets, the lower
/// first, and its text.
///
/// An entry is put together in this form, and read out of it: the writer has one array for each entry
/// to allocate, not one for each text.
struct FlightFacts: Hashable, Sendable {
    /// The facts, one after another.
    private(set) var octets: [UInt8] = []
    /// How many they are.
    private(set) var count = 0

    /// The octets before a text.
    private static let headLength = 3
    /// What most entries take.
    private static let usualLength = 4_096

    /// No facts.
    init() {}

    /// Takes facts out of a file, but for those of an unknown kind; nil where a fact is cut.
    init?(_ octets: ArraySlice<UInt8>) {
        self.octets.reserveCapacity(octets.count)
        var start = octets.startIndex
        while start < octets.endIndex {
            guard octets.endIndex - start >= Self.headLength else { return nil }
            let length = Int(octets[start + 1]) | Int(octets[start + 2]) << 8
            let end = start + Self.headLength + length
            guard end <= octets.endIndex else { return nil }
            if FlightKey(rawValue: octets[start]) != nil {
                self.octets += octets[start..<end]
                count += 1
            }
            start = end
        }
    }

    /// Adds a fact, cut where it is longer than so many octets; the limit is below 65,536.
    mutating func append(_ key: FlightKey, _ text: String, atMost limit: Int) {
        if octets.isEmpty { octets.reserveCapacity(Self.usualLength) }
        let length = text.utf8.count <= limit ? text.utf8.count : Self.cut(text.utf8.span, limit)
        appendHead(key, length)
        if length == text.utf8.count {
            octets += text.utf8
        } else {
            octets += text.utf8.prefix(length)
        }
        count += 1
    }

    /// Adds each line of a text as a fact, all or none.
    ///
    /// - Parameters:
    ///   - key: what they are about.
    ///   - lines: the facts, each with a line feed after it.
    ///   - limit: the most octets that they may take; below 65,536.
    /// - Returns: whether there was room.
    mutating func append(_ key: FlightKey, lines: [UInt8], atMost limit: Int) -> Bool {
        guard lines.count <= limit else { return false }
        let (length, number) = (octets.count, count)
        var start = 0
        while let end = lines[start...].firstIndex(of: 0x0A) {
            appendHead(key, end - start)
            octets += lines[start..<end]
            count += 1
            start = end + 1
        }
        guard octets.count - length > limit else { return true }
        octets.removeSubrange(length...)
        count = number
        return false
    }

    private mutating func appendHead(_ key: FlightKey, _ length: Int) {
        octets.append(key.rawValue)
        octets.append(UInt8(truncatingIfNeeded: length))
        octets.append(UInt8(truncatingIfNeeded: length >> 8))
    }

    /// How much of a text is left of so many octets: not half a character.
    private static func cut(_ text: Span<UInt8>, _ limit: Int) -> Int {
        var length = limit
        while length > 0, text[length] & 0xC0 == 0x80 { length -= 1 }
        return length
    }
}

extension FlightFacts: Sequence {
    /// Gives one fact after another.
    struct Iterator: IteratorProtocol {
        private let octets: [UInt8]
        private var start = 0

        fileprivate init(_ octets: [UInt8]) { self.octets = octets }

        mutating func next() -> FlightEntry.Item? {
            guard start < octets.count, let key = FlightKey(rawValue: octets[start]) else {
                return nil
            }
            let first = start + FlightFacts.headLength
            start = first + (Int(octets[start + 1]) | Int(octets[start + 2]) << 8)
            return FlightEntry.Item(key: key, octets: octets[first..<start])
        }
    }

    func makeIterator() -> Iterator { Iterator(octets) }
}
