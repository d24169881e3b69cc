/// Entries one after another, as they stand in a file, for programs that hand them to each other.
package enum FlightStream {
    /// The most octets that are read of a stream.
    package static let longest = 64 << 20

    /// Appends an entry.
    package static func append(_ entry: FlightEntry, to octets: inout [UInt8]) {
        FlightFrame.append(entry, to: &octets)
    }

    /// The entries of a stream, up to the first that is damaged.
    package static func entries(in octets: [UInt8]) -> [FlightEntry] {
        var entries: [FlightEntry] = []
        var offset = 0
        while let place = FlightFrame.place(at: offset, in: octets),
            let entry = FlightFrame.entry(at: place, in: octets)
        {
            entries.append(entry)
            offset = place.body.upperBound
        }
        return entries
    }
}
