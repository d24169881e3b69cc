/// Entries as octets: version, daemon, time, and the facts as ``FlightFacts`` has them.
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
        octets += entry.facts.octets
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
        guard let head = head(octets), let facts = FlightFacts(octets.dropFirst(headLength)) else {
            return nil
        }
        return FlightEntry(head.daemon, time: head.time, facts: facts)
    }
}
