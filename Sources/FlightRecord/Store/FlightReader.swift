internal import Glibc

/// Reads the records of daemons, the newest entries first.
///
/// Trust: files that a daemon writes, who may have been taken over; the reader may be root. What does
/// not read is passed over, and memory is bounded.
package struct FlightReader: Sendable {
    private let folders: [FlightFolder]

    /// The most octets of one segment that are read.
    private static let longestSegment = 64 << 20
    /// The most damaged entries of one segment: a crash leaves one, and each costs as much as its
    /// length says.
    private static let mostDamaged = 100

    /// How long an entry may have waited when its segment was begun, in microseconds.
    private static let longestWait: Int64 = 600_000_000

    /// Reads these directories.
    package init(directories: [String]) { folders = directories.map(FlightFolder.init) }

    /// The directories that cannot be read.
    package var unreadable: [String] {
        folders.map(\.path).filter { unsafe access($0, R_OK | X_OK) != 0 }
    }

    /// Entries that have a fact with one of some texts in it, and that a condition holds for, in the
    /// order of time.
    ///
    /// The octets of a segment are searched before any entry is decoded: that is as fast as memory,
    /// so that there is no index that would have to be kept.
    ///
    /// - Parameters:
    ///   - texts: the texts, as they stand in the record; a code is searched for where the record has
    ///     codes.
    ///   - time: entries before it are left out; in microseconds since 1970.
    ///   - end: entries after it are left out.
    ///   - limit: how many entries are given at most: the newest.
    ///   - condition: looks at a decoded entry.
    /// - Returns: the entries.
    package func entries(
        with texts: [String], since time: Int64 = .min, until end: Int64 = .max, limit: Int = 1_000,
        where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        var found: [FlightEntry] = []
        for folder in folders {
            let code = folder.code()
            let needles = texts.filter { !$0.isEmpty }
                .flatMap { text in [text] + (code.map { [$0.text(of: text)] } ?? []) }
                .map { Array($0.utf8) }
            found += search(folder, since: time, until: end, limit: limit) { octets in
                Self.places(of: needles, in: octets)
            } where: {
                condition($0)
            }
        }
        return Self.newest(limit, of: found)
    }

    /// All entries that a condition holds for, in the order of time.
    package func entries(
        since time: Int64 = .min, limit: Int = 1_000, where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        var found: [FlightEntry] = []
        for folder in folders {
            found += search(folder, since: time, until: .max, limit: limit) { _ in
                nil
            } where: {
                condition($0)
            }
        }
        return Self.newest(limit, of: found)
    }

    /// What stands for a text in the records: itself, and its codes.
    package func forms(of text: String) -> Set<String> {
        Set([text] + folders.compactMap { $0.code()?.text(of: text) })
    }

    private static func newest(_ limit: Int, of entries: [FlightEntry]) -> [FlightEntry] {
        Array(entries.sorted { $0.time < $1.time }.suffix(limit))
    }

    /// Looks through the segments of a record, the newest first.
    ///
    /// - Parameters:
    ///   - folder: the record.
    ///   - time: entries before it are left out.
    ///   - end: entries after it are left out.
    ///   - limit: how many entries are enough.
    ///   - offsets: where to look in a segment; nil for everywhere.
    ///   - condition: looks at a decoded entry.
    /// - Returns: the entries, in the order in which they were written.
    private func search(
        _ folder: FlightFolder, since time: Int64, until end: Int64, limit: Int,
        at offsets: ([UInt8]) -> [Int]?, where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        var found: [FlightEntry] = []
        for segment in folder.segments().reversed() {
            guard found.count < limit else { break }
            guard segment.changed >= time / 1_000_000 - 1,
                FlightFolder.start(of: segment.name) / 2 <= end / 2 + Self.longestWait / 2
            else { continue }
            guard let octets = folder.octets(of: segment, limit: Self.longestSegment) else {
                continue
            }
            let hits = offsets(octets)
            if let hits, hits.isEmpty { continue }
            var inSegment: [FlightEntry] = []
            Self.walk(octets, hits) { entry in
                if entry.time >= time, entry.time <= end, condition(entry) {
                    inSegment.append(entry)
                }
            }
            found = inSegment.suffix(limit) + found
        }
        return found
    }

    /// Decodes the entries of a segment, or those alone that have one of some offsets in them.
    private static func walk(
        _ octets: [UInt8], _ hits: [Int]?, _ body: (FlightEntry) -> Void
    ) {
        var offset = 0
        var damaged = 0
        var hit = hits?.startIndex ?? 0
        while offset < octets.count {
            guard let place = FlightFrame.place(at: offset, in: octets) else {
                // Cut by a crash: the next mark is the next entry.
                guard let next = OctetSearch.first(FlightFrame.mark, in: octets, from: offset + 1)
                else {
                    return
                }
                offset = next
                continue
            }
            if let hits {
                while hit < hits.count, hits[hit] < place.body.lowerBound { hit += 1 }
                guard hit < hits.count else { return }
                let end = place.body.upperBound
                // One that was cut ends in the middle of the next.
                if hits[hit] >= end, FlightFrame.isMark(at: end, in: octets) {
                    offset = end
                    continue
                }
            }
            if let entry = FlightFrame.entry(at: place, in: octets) {
                body(entry)
                offset = place.body.upperBound
            } else {
                damaged += 1
                guard damaged <= mostDamaged else { return }
                offset =
                    OctetSearch.first(FlightFrame.mark, in: octets, from: offset + 1)
                    ?? octets.count
            }
        }
    }

    /// Where any of some texts stands, in order.
    private static func places(of needles: [[UInt8]], in octets: [UInt8]) -> [Int] {
        var places: [Int] = []
        for needle in needles where !needle.isEmpty {
            var offset = 0
            while let place = OctetSearch.first(needle, in: octets, from: offset) {
                places.append(place)
                offset = place + needle.count
            }
        }
        return places.sorted()
    }
}
