internal import FlightRecord

/// Entries without a queue id, those of one message together: several daemons record that it ended before it was complete, and what
/// signet-spf was asked about its recipients belongs to it, too.
struct EndedAttempts {
    /// The entries of each message, in the order of time.
    private(set) var all: [[FlightEntry]] = []

    /// What daemons record of one end lies no farther apart, in microseconds.
    private static let nearness: Int64 = 5_000_000

    /// Whose message it may be: the daemons of one host record the same of it.
    private struct Envelope: Hashable {
        let client: String?
        let sender: String?
        let recipient: String?

        init(_ entry: FlightEntry) {
            client = entry[.clientAddress]
            sender = entry[.sender]?.lowercased()
            recipient = entry[.recipient]?.lowercased()
        }
    }

    /// Puts entries together.
    init(_ entries: [FlightEntry]) {
        let sorted = entries.sorted { $0.time < $1.time }
        // The newest attempt of each envelope that other entries may join.
        var newest: [Envelope: Int] = [:]
        for entry in sorted where Self.hasEnded(entry) {
            let envelope = Envelope(entry)
            if let index = newest[envelope], let first = all[index].first,
                entry.time - first.time <= Self.nearness,
                !all[index].contains(where: { $0.daemon == entry.daemon })
            {
                all[index].append(entry)
            } else {
                newest[envelope] = all.count
                all.append([entry])
            }
        }
        // The question about a recipient comes before the end, which may be the time of a whole message later.
        var ends: [Envelope: [Int]] = [:]
        for index in all.indices {
            if let first = all[index].first { ends[Envelope(first), default: []].append(index) }
        }
        var others: [[FlightEntry]] = []
        for entry in sorted where !Self.hasEnded(entry) {
            let index = ends[Envelope(entry)]?.first { index in
                all[index].first.map {
                    StoryFinder.envelope(before: $0.time).contains(entry.time)
                } == true
            }
            guard let index, !Self.isStopped(entry) else {
                others.append([entry])
                continue
            }
            all[index].append(entry)
        }
        all = (all + others).map { $0.sorted { $0.time < $1.time } }
    }

    private static func hasEnded(_ entry: FlightEntry) -> Bool {
        entry[.verdict] == FlightVerdict.aborted.rawValue
    }

    /// Whether nothing can have come after it.
    private static func isStopped(_ entry: FlightEntry) -> Bool {
        let verdict = entry[.verdict].flatMap(FlightVerdict.init)
        return verdict == .refused || verdict == .deferred
    }
}
