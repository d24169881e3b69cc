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
    /// The earliest time of which each queue id was looked for, in microseconds since 1970.
    private var sought: [String: Int64] = [:]
    /// The messages that had the queue ids, as far as somebody has asked.
    private var lives: [String: QueueLives] = [:]

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
        /// Whether a delivery names it as the next host's, which may be another one.
        var isNext = false
    }

    /// Gathers what is known of queue ids, and of those under which their messages go on.
    ///
    /// - Parameter places: the queue ids, each with a time near which it was the message's.
    mutating func gather(_ places: [(id: String, time: Int64)]) {
        var wanted: [String: Wanted] = [:]
        // An id that was several messages' one after another is looked for as long as the first was there.
        for place in places where isMissing(place.id, at: place.time) {
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
        for id in all { spans += QueueLives.spansBeforeLog(ownLines(of: id)) }
        gatherEntries(of: all, FlightScope(spans))
    }

    /// Whether a queue id has to be looked for: at all, or as what is known of it begins after a time.
    private func isMissing(_ id: String, at time: Int64) -> Bool {
        guard let known = lines[id] else { return true }
        guard let sought = sought[id], time < sought else { return false }
        let first = known.lazy.filter { $0.queueID == id }.map(\.time).min()
        return first.map { $0 > time + QueueLife.slack } ?? false
    }

    /// The lines that name a queue id: its own, and those of others that say what it became.
    mutating func lines(naming id: String, at time: Int64) -> [MailLogLine] {
        if isMissing(id, at: time) { gather([(id, time)]) }
        return lines[id] ?? []
    }

    /// The message that had a queue id at a time, by what is known of the id.
    mutating func life(of id: String, at time: Int64) -> QueueLife {
        if isMissing(id, at: time) { gather([(id, time)]) }
        let known = lives[id] ?? QueueLives(id, ownLines(of: id), entries[id] ?? [])
        lives[id] = known
        return known.life(at: time)
    }

    private func ownLines(of id: String) -> [MailLogLine] {
        (lines[id] ?? []).filter { $0.queueID == id }
    }

    /// Takes the lines that name a queue id, all there are, so that they are not looked for again.
    mutating func know(_ id: String, _ lines: [MailLogLine]) {
        self.lines[id] = lines
        sought[id] = .min
    }

    /// Whether the log has more lines about a queue id than are given.
    func isCut(_ id: String) -> Bool { cut.contains(id) }

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
        for (id, one) in wanted {
            (lines[id], lives[id]) = ([], nil)
            sought[id] = min(one.time, sought[id] ?? one.time)
        }
        var others: [String: Wanted] = [:]
        var counts: [String: Int] = [:]
        let ours = wanted.filter { !$0.value.isNext }
            .merging(handedOver(wanted.filter(\.value.isNext))) { own, _ in own }
        guard !ours.isEmpty else { return [:] }
        for line in search(ours) {
            let (own, other) = Self.ids(in: line)
            if let own, ours[own] != nil {
                lines[own, default: []].append(line)
                spans.append(QueueLife.reach(of: line.time...line.time))
            }
            if let other, other != own, ours[other] != nil {
                lines[other, default: []].append(line)
            }
            guard let own, let other else { continue }
            // Of a message to thousands each delivery names another.
            for (id, name, isNext) in [(own, other, true), (other, own, false)]
            where ours[id] != nil && others[name] == nil
                && sought[name].map({ line.time < $0 }) ?? true
                && counts[id, default: 0] < Self.mostNeighbours
            {
                counts[id, default: 0] += 1
                others[name] = Wanted(time: line.time, isNext: isNext)
            }
        }
        return others.filter { isMissing($0.key, at: $0.value.time) }
    }

    /// Those of some next hosts' ids under which a message came in here at that time: the others are the ids of other hosts, and nothing
    /// more is to be looked for.
    private func handedOver(_ nexts: [String: Wanted]) -> [String: Wanted] {
        let times = nexts.values.map(\.time)
        guard let first = times.min(), let last = times.max() else { return [:] }
        let found = evidence.lines(
            with: nexts.keys.sorted(), in: QueueLife.reach(of: first...last), limit: Self.mostLines,
            until: { _, _ in false })
        let here = Set(found.compactMap(\.queueID))
        return nexts.filter { here.contains($0.key) }
    }

    /// The lines of some queue ids: where one of them has more than is given at once, the others have theirs.
    private mutating func search(_ wanted: [String: Wanted]) -> [MailLogLine] {
        var open = wanted
        let ids = wanted.keys.sorted()
        let found = evidence.lines(with: ids, in: nil, limit: Self.mostLines) { _, found in
            // Nothing about a message is older than the line with which it begins.
            for line in found {
                guard let id = line.queueID, let one = open[id], line.time <= one.time,
                    case .begin = PostfixEvent(line)
                else { continue }
                open[id] = nil
            }
            return open.isEmpty
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
        var found: [String: [FlightEntry]] = [:]
        var spans: [ClosedRange<Int64>] = []
        var clients: Set<String> = []
        for entry in evidence.entries(with: ids.sorted(), scope, limit: Self.mostEntries) {
            guard let id = entry[.queueID], ids.contains(id) else { continue }
            found[id, default: []].append(entry)
            guard let client = entry[.clientAddress] else { continue }
            clients.insert(client)
            spans.append(StoryFinder.envelope(before: entry.time))
        }
        Self.add(found, to: &entries)
        for id in found.keys { lives[id] = nil }
        guard !clients.isEmpty else { return }
        let asked = evidence.entries(
            with: clients.sorted(), FlightScope(spans, by: .spf), limit: Self.mostEntries)
        var askedBy: [String: [FlightEntry]] = [:]
        for entry in asked where entry[.queueID] == nil {
            guard let client = entry[.clientAddress], clients.contains(client) else { continue }
            askedBy[client, default: []].append(entry)
        }
        Self.add(askedBy, to: &questions)
    }

    /// Adds what was found to what is known already, each entry once.
    private static func add(
        _ found: [String: [FlightEntry]], to known: inout [String: [FlightEntry]]
    ) {
        known.merge(found) { known, found in
            let earlier = Set(known)
            return known + found.filter { !earlier.contains($0) }
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
