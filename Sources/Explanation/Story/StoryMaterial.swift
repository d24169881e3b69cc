internal import FlightRecord

/// What the records and the log have of many messages, gathered in a few searches.
///
/// A search goes through all of a log, whatever it is for: what is known of fifty queue ids costs hardly more than what is known of one.
struct StoryMaterial {
    private let evidence: any Evidence
    /// The lines that name a queue id, for each that was looked for.
    private var lines: [String: [MailLogLine]] = [:]
    /// The entries of each queue id that was looked for.
    private var entries: [String: [FlightEntry]] = [:]
    /// What was asked before there was a queue id, by the client's address.
    private var questions: [String: [FlightEntry]] = [:]

    /// The queue ids of which there are more lines than are given.
    private var cut: Set<String> = []

    /// How often what was found is looked for in turn, in one go: a message has few queue ids on a host.
    private static let rounds = 8
    /// The most other queue ids of one that are followed.
    static let mostNeighbours = 50
    /// The most lines and entries of one search.
    private static let mostLines = 20_000
    private static let mostEntries = 10_000

    /// Gathers from some evidence.
    init(_ evidence: any Evidence) { self.evidence = evidence }

    /// A queue id that is looked for.
    private struct Wanted {
        /// A time at which it was the message's, in microseconds since 1970.
        var time: Int64
        /// Whether it may be another host's: one that a delivery names as the next.
        var isNext = false
    }

    /// Gathers what is known of queue ids, and of those under which their messages go on.
    ///
    /// - Parameter places: the queue ids, each with a time near which it was the message's.
    mutating func gather(_ places: [(id: String, time: Int64)]) {
        var wanted: [String: Wanted] = [:]
        // An id that was several messages' one after another is looked for as long as the first was there.
        for place in places where lines[place.id] == nil {
            let earliest = min(place.time, wanted[place.id]?.time ?? place.time)
            wanted[place.id] = Wanted(time: earliest)
        }
        guard !wanted.isEmpty else { return }
        var spans = places.map { QueueLife.reach(of: $0.time...$0.time) }
        var all = Set(wanted.keys)
        for _ in 0..<Self.rounds where !wanted.isEmpty {
            wanted = gatherLines(of: wanted, &spans)
            all.formUnion(wanted.keys)
        }
        gatherEntries(of: all, FlightScope(spans))
    }

    /// The lines that name a queue id: its own, and those of others that say what it became.
    mutating func lines(naming id: String, at time: Int64) -> [MailLogLine] {
        if lines[id] == nil { gather([(id, time)]) }
        return lines[id] ?? []
    }

    /// Takes the lines that name a queue id, all there are, so that they are not looked for again.
    mutating func know(_ id: String, _ lines: [MailLogLine]) { self.lines[id] = lines }

    /// Whether the log has more lines about a queue id than are given.
    func isCut(_ id: String) -> Bool { cut.contains(id) }

    /// Whether the log has lines of its own about a queue id that was looked for.
    func isKnown(_ id: String) -> Bool { lines[id]?.contains { $0.queueID == id } ?? false }

    /// The entries of a queue id within a time.
    func entries(of id: String, in span: ClosedRange<Int64>) -> [FlightEntry] {
        (entries[id] ?? []).filter { span.contains($0.time) }
    }

    /// What signet-spf was asked about a client's mail before there was a queue id.
    func questions(from client: String, in span: ClosedRange<Int64>) -> [FlightEntry] {
        (questions[client] ?? []).filter { span.contains($0.time) }
    }

    /// Looks for the lines of queue ids, and gives those that they name and that were not looked for.
    private mutating func gatherLines(
        of wanted: [String: Wanted], _ spans: inout [ClosedRange<Int64>]
    ) -> [String: Wanted] {
        for id in wanted.keys { lines[id] = [] }
        var others: [String: Wanted] = [:]
        var counts: [String: Int] = [:]
        for line in search(wanted) {
            let (own, other) = Self.ids(in: line)
            if let own, wanted[own] != nil {
                lines[own, default: []].append(line)
                spans.append(QueueLife.reach(of: line.time...line.time))
            }
            if let other, other != own, wanted[other] != nil {
                lines[other, default: []].append(line)
            }
            guard let own, let other else { continue }
            // Of a message to thousands each delivery names another.
            for (id, name, isNext) in [(own, other, true), (other, own, false)]
            where wanted[id] != nil && lines[name] == nil && others[name] == nil
                && counts[id, default: 0] < Self.mostNeighbours
            {
                counts[id, default: 0] += 1
                others[name] = Wanted(time: line.time, isNext: isNext)
            }
        }
        return others
    }

    /// The lines of some queue ids: where one of them has more than is given at once, the others have theirs.
    private mutating func search(_ wanted: [String: Wanted]) -> [MailLogLine] {
        var open = wanted
        let ids = wanted.keys.sorted()
        let found = evidence.lines(with: ids, in: nil, limit: Self.mostLines) { since, found in
            // Nothing about a message is older than the line with which it begins.
            for line in found {
                guard let id = line.queueID, let one = open[id], line.time <= one.time,
                    case .begin = PostfixEvent(line)
                else { continue }
                open[id] = nil
            }
            guard let since else { return false }
            return open.values.allSatisfy { one in
                one.isNext && since < QueueLife.reach(of: one.time...one.time).lowerBound
            }
        }
        guard found.count >= Self.mostLines else { return found }
        guard ids.count > 1 else {
            cut.formUnion(ids)
            return found
        }
        let first = Set(ids.prefix(ids.count / 2))
        return search(wanted.filter { first.contains($0.key) })
            + search(wanted.filter { !first.contains($0.key) })
    }

    private mutating func gatherEntries(of ids: Set<String>, _ scope: FlightScope) {
        let found = evidence.entries(with: ids.sorted(), scope, limit: Self.mostEntries)
        var spans: [ClosedRange<Int64>] = []
        var clients: Set<String> = []
        for entry in found {
            guard let id = entry[.queueID], ids.contains(id) else { continue }
            entries[id, default: []].append(entry)
            guard let client = entry[.clientAddress] else { continue }
            clients.insert(client)
            spans.append(StoryFinder.envelope(before: entry.time))
        }
        guard !clients.isEmpty else { return }
        let asked = evidence.entries(
            with: clients.sorted(), FlightScope(spans, by: .spf), limit: Self.mostEntries)
        for entry in asked where entry[.queueID] == nil {
            guard let client = entry[.clientAddress], clients.contains(client) else { continue }
            questions[client, default: []].append(entry)
        }
    }

    /// The queue id of a line, and the other one that it names.
    private static func ids(in line: MailLogLine) -> (own: String?, other: String?) {
        switch PostfixEvent(line) {
        case .delivery(let delivery): (line.queueID, delivery.nextID)
        case .bounce(let id): (line.queueID, id)
        default: (line.queueID, nil)
        }
    }
}
