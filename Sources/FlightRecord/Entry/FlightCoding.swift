/// Entries as octets: version, daemon, time, and each fact with its key and length before it.
///
/// Trust: files that a crash, a full disk or another release has left in any state; what does not
/// read is no entry, and facts of an unknown kind are passed over.
enum FlightCoding {
    private static let version: UInt8 = 1
    private static let headLength = 10

    /// The times that an entry can have, in microseconds since 1970: sums and differences of them can be formed.
    private static let times: ClosedRange<UInt64> = 0...1 << 60

    /// Appends an entry.
    static func append(_ entry: FlightEntry, to octets: inout [UInt8]) {
        octets.append(version)
        octets.append(entry.daemon.rawValue)
        let time = UInt64(bitPattern: entry.time)
        for shift in stride(from: 0, to: 64, by: 8) {
            octets.append(UInt8(truncatingIfNeeded: time >> UInt64(shift)))
        }
        for item in entry.items { append(item.key, item.text, to: &octets) }
    }

    /// Appends a fact; nothing where its text is longer than can be counted, which no text of an entry is.
    static func append(_ key: FlightKey, _ text: String, to octets: inout [UInt8]) {
        guard let length = UInt16(exactly: text.utf8.count) else { return }
        octets.append(key.rawValue)
        octets.append(UInt8(truncatingIfNeeded: length))
        octets.append(UInt8(truncatingIfNeeded: length >> 8))
        octets += text.utf8
    }

    /// Who wrote an entry, and when; nil where the octets are none.
    static func head(_ octets: ArraySlice<UInt8>) -> (daemon: FlightDaemon, time: Int64)? {
        let start = octets.startIndex
        guard octets.count >= headLength, octets[start] == version,
            let daemon = FlightDaemon(rawValue: octets[start + 1])
        else { return nil }
        var time: UInt64 = 0
        for index in 0..<8 { time |= UInt64(octets[start + 2 + index]) << UInt64(8 * index) }
        guard times.contains(time) else { return nil }
        return (daemon, Int64(bitPattern: time))
    }

    /// Reads an entry; nil where the octets are none.
    static func entry(_ octets: ArraySlice<UInt8>) -> FlightEntry? {
        guard let head = head(octets) else { return nil }
        var entry = FlightEntry(head.daemon, time: head.time)
        var rest = octets.dropFirst(headLength)
        while rest.count >= 3 {
            let first = rest.startIndex
            let length = Int(rest[first + 1]) | Int(rest[first + 2]) << 8
            guard rest.count - 3 >= length else { return nil }
            if let key = FlightKey(rawValue: rest[first]) {
                entry.take(
                    key, String(decoding: rest[(first + 3)..<(first + 3 + length)], as: UTF8.self))
            }
            rest = rest.dropFirst(3 + length)
        }
        return rest.isEmpty ? entry : nil
    }
}
