/// Entries one after another in a file: a mark, the length and a checksum before each.
///
/// A daemon that was killed leaves an entry that is cut; the next one begins with the mark, by
/// which the reader finds it.
enum FlightFrame {
    /// What each entry begins with; no octet of it occurs in UTF-8 text.
    static let mark: [UInt8] = [0xF9, 0xFA, 0xFB, 0xFC]
    /// The octets before an entry.
    static let headLength = 12
    /// The longest entry: what ``FlightEntry`` bounds fits.
    static let longest = 1 << 18

    /// Appends an entry with its head.
    static func append(_ entry: FlightEntry, to octets: inout [UInt8]) {
        let start = octets.count
        octets += mark
        for _ in mark.count..<headLength { octets.append(0) }
        FlightCoding.append(entry, to: &octets)
        let body = (start + headLength)..<octets.count
        let sum = checksum(octets.span.extracting(body))
        let length = UInt32(clamping: body.count)
        for index in 0..<4 {
            let shift = UInt32(8 * index)
            octets[start + 4 + index] = UInt8(truncatingIfNeeded: length >> shift)
            octets[start + 8 + index] = UInt8(truncatingIfNeeded: sum >> shift)
        }
    }

    /// Where an entry begins, and where the next one may.
    struct Place {
        /// The octets of the entry.
        let body: Range<Int>
        fileprivate let sum: UInt32
    }

    /// The entry whose head is at an offset, not yet checked; nil where there is none that is whole.
    static func place(at offset: Int, in octets: [UInt8]) -> Place? {
        guard offset >= 0, octets.count - offset >= headLength, isMark(at: offset, in: octets)
        else { return nil }
        let length = Int(number(at: offset + 4, in: octets))
        let start = offset + headLength
        guard length <= longest, octets.count - start >= length else { return nil }
        return Place(body: start..<(start + length), sum: number(at: offset + 8, in: octets))
    }

    /// Whether an entry begins at an offset.
    static func isMark(at offset: Int, in octets: [UInt8]) -> Bool {
        offset >= 0 && octets.count - offset >= mark.count
            && octets[offset..<(offset + mark.count)].elementsEqual(mark)
    }

    /// Where the last mark before an offset is, as far back as an entry is long.
    static func mark(before offset: Int, in octets: [UInt8]) -> Int? {
        let first = max(0, offset - longest - headLength)
        return unsafe octets.withUnsafeBufferPointer { octets in
            var start = offset - mark.count
            while start >= first {
                if unsafe octets[start] == 0xF9, unsafe octets[start + 1] == 0xFA,
                    unsafe octets[start + 2] == 0xFB, unsafe octets[start + 3] == 0xFC
                {
                    return start
                }
                start -= 1
            }
            return nil
        }
    }

    /// Whether the entry at a place is what was written there.
    static func isWhole(_ place: Place, in octets: [UInt8]) -> Bool {
        checksum(octets.span.extracting(place.body)) == place.sum
    }

    /// The entry at a place; nil where it is damaged.
    static func entry(at place: Place, in octets: [UInt8]) -> FlightEntry? {
        guard isWhole(place, in: octets) else { return nil }
        return FlightCoding.entry(octets[place.body])
    }

    private static func number(at offset: Int, in octets: [UInt8]) -> UInt32 {
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(octets[offset + $1]) << UInt32(8 * $1) }
    }

    /// FNV-1a, 32 bits: it has to find what is cut or torn, not what was forged.
    private static func checksum(_ octets: Span<UInt8>) -> UInt32 {
        var sum: UInt32 = 2_166_136_261
        for index in octets.indices { sum = (sum ^ UInt32(octets[index])) &* 16_777_619 }
        return sum
    }
}
