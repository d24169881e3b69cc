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
    /// so that there is no index that would have to be kept. Of those that are found the newest are
    /// decoded, as many as are wanted.
    ///
    /// - Parameters:
    ///   - texts: the texts, as they stand in the record; a code is searched for where the record has
    ///     codes.
    ///   - when: only entries of such a time, and of such a daemon.
    ///   - limit: how many entries are given at most: the newest.
    ///   - condition: looks at a decoded entry.
    /// - Returns: the entries.
    package func entries(
        with texts: [String], _ when: FlightScope = FlightScope(), limit: Int = 1_000,
        where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        var found: [FlightEntry] = []
        for folder in folders {
            let code = folder.code()
            let needles = texts.filter { !$0.isEmpty }
                .flatMap { text in [text] + (code.map { [$0.text(of: text)] } ?? []) }
                .map { Array($0.utf8) }
            guard !needles.isEmpty else { continue }
            let search = NeedleSearch(needles)
            found += entries(in: folder, when, limit: limit, search, where: condition)
        }
        return Self.newest(limit, of: found)
    }

    /// Entries that have one of some texts as a fact, in the order of time.
    ///
    /// - Parameters:
    ///   - key: the kind of the fact, one that is never a code.
    ///   - texts: the texts.
    ///   - when: only entries of such a time, and of such a daemon.
    ///   - limit: how many entries are given at most: the newest.
    /// - Returns: the entries.
    package func entries(
        having key: FlightKey, in texts: [String], _ when: FlightScope = FlightScope(), limit: Int
    ) -> [FlightEntry] {
        // With the octets before it a short text is found in longer leaps, and not within another one.
        let search = NeedleSearch(
            texts.map { text in
                var facts = FlightFacts()
                facts.append(key, text, atMost: FlightEntry.longestText)
                return facts.octets
            })
        var found: [FlightEntry] = []
        for folder in folders {
            found += entries(in: folder, when, limit: limit, search) { entry in
                entry.items.contains { $0.key == key && texts.contains($0.text) }
            }
        }
        return Self.newest(limit, of: found)
    }

    /// All entries that a condition holds for, in the order of time.
    package func entries(
        since time: Int64 = .min, limit: Int = 1_000, where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        let scope = FlightScope(since: time)
        var found: [FlightEntry] = []
        for folder in folders {
            found += entries(in: folder, scope, limit: limit, nil, where: condition)
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
    ///   - scope: what to look at.
    ///   - limit: how many entries are enough.
    ///   - search: what stands in the entries; nil for anything.
    ///   - condition: looks at a decoded entry.
    /// - Returns: the entries, in the order in which they were written.
    private func entries(
        in folder: FlightFolder, _ scope: FlightScope, limit: Int, _ search: NeedleSearch?,
        where condition: (FlightEntry) -> Bool
    ) -> [FlightEntry] {
        var found: [FlightEntry] = []
        for segment in folder.segments().reversed() {
            guard found.count < limit else { break }
            let start = FlightFolder.start(of: segment.name) - Self.longestWait
            let end = (segment.changed + 1) * 1_000_000
            guard scope.concerns(start...max(start, end)) else { continue }
            guard let octets = folder.octets(of: segment, limit: Self.longestSegment) else {
                continue
            }
            let places =
                search.map { Self.places(of: $0, in: octets, scope) }
                ?? Self.places(in: octets, scope)
            // From the newest to the oldest: what is more than enough is not decoded.
            var inSegment: [FlightEntry] = []
            for place in places.reversed() {
                guard found.count + inSegment.count < limit else { break }
                if let entry = FlightCoding.entry(octets[place.body]), condition(entry) {
                    inSegment.append(entry)
                }
            }
            found = inSegment.reversed() + found
        }
        return found
    }

    /// The places of a segment's entries that are whole, in order.
    private static func places(in octets: [UInt8], _ scope: FlightScope) -> [FlightFrame.Place] {
        var places: [FlightFrame.Place] = []
        var offset = 0
        var damaged = 0
        while offset < octets.count {
            if let place = FlightFrame.place(at: offset, in: octets) {
                if FlightFrame.isWhole(place, in: octets) {
                    if isMeant(place, octets, scope) { places.append(place) }
                    offset = place.body.upperBound
                    continue
                }
                damaged += 1
                guard damaged <= mostDamaged else { return places }
            }
            // Cut by a crash: the next mark is the next entry.
            guard let next = OctetSearch.first(FlightFrame.mark, in: octets, from: offset + 1)
            else { return places }
            offset = next
        }
        return places
    }

    /// The places of the entries that are whole and in which one of some texts stands, in order.
    private static func places(
        of search: NeedleSearch, in octets: [UInt8], _ scope: FlightScope
    ) -> [FlightFrame.Place] {
        var places: [FlightFrame.Place] = []
        var damaged = 0
        func next(behind hit: Int) -> Int {
            OctetSearch.first(FlightFrame.mark, in: octets, from: hit) ?? octets.count
        }
        search.each(in: octets) { hit in
            // The entry begins with the mark before; behind one that was cut there is another mark.
            let place = FlightFrame.mark(before: hit, in: octets)
                .flatMap { FlightFrame.place(at: $0, in: octets) }
            guard let place, place.body.contains(hit) else {
                damaged += 1
                return damaged <= mostDamaged ? next(behind: hit) : octets.count
            }
            // Most are of other times: the whole of them is not looked at.
            guard isMeant(place, octets, scope) else { return next(behind: hit) }
            guard FlightFrame.isWhole(place, in: octets) else {
                damaged += 1
                return damaged <= mostDamaged ? next(behind: hit) : octets.count
            }
            places.append(place)
            return place.body.upperBound
        }
        return places
    }

    private static func isMeant(
        _ place: FlightFrame.Place, _ octets: [UInt8], _ scope: FlightScope
    ) -> Bool {
        guard let head = FlightCoding.head(octets[place.body]) else { return false }
        return scope.has(head.time, head.daemon)
    }
}
