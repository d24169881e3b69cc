internal import FlightRecord

/// The messages that had a queue id one after another: what the log and the records have of the id is divided among them.
///
/// - A message begins with the line that names its client or its Message-ID, and is over when it leaves the queue, or when a filter has
///   refused it at its end.
/// - What daemons record of it, they record after its beginning, and soon: an entry that comes before the beginning of one message and
///   after the end of the one before is about a message whose lines are gone.
/// - Of a message whose first lines are gone the newest entries before the lines that are left tell: as long as it is in the queue,
///   no other message can have its id.
struct QueueLives {
    /// The queue id.
    let id: String
    /// The messages, the oldest first; their spans do not touch.
    let all: [QueueLife]

    /// How long before its beginning in the log a message may have been recorded, in microseconds: a log may have whole seconds.
    private static let haste: Int64 = 2_000_000
    /// How long a message is in the queue at most, in microseconds: five days (postconf(5), maximal_queue_lifetime).
    private static let queueLifetime: Int64 = 5 * 86_400_000_000

    /// Divides what is known of an id.
    ///
    /// - Parameters:
    ///   - id: the queue id.
    ///   - lines: the log's lines that begin with the id.
    ///   - entries: what the daemons have recorded of the id.
    init(_ id: String, _ lines: [MailLogLine], _ entries: [FlightEntry]) {
        self.id = id
        var uses = Self.uses(of: lines)
        // What the lines do not account for is of messages whose lines are gone.
        let rest = entries.filter { entry in
            guard let index = uses.firstIndex(where: { $0.covers(entry) }) else { return true }
            uses[index].start = min(uses[index].start, entry.time)
            return false
        }
        let groups = Self.groups(of: rest)
        var others: [Use] = []
        for (place, group) in groups.enumerated() {
            // A message whose beginning is not known began with the newest entries before its lines.
            let next = uses.firstIndex { $0.first > group.lowerBound }
            if let next, !uses[next].hasBeginning,
                uses[next].first - group.lowerBound <= Self.queueLifetime,
                place + 1 == groups.count || groups[place + 1].lowerBound > uses[next].first
            {
                uses[next].begin(at: group.lowerBound)
            } else {
                others.append(Use(group))
            }
        }
        uses = (uses + others).sorted { $0.first < $1.first }
        all = uses.indices.map { index in
            let use = uses[index]
            let before = index > 0 ? uses[index - 1].last : Int64.min
            let after = index + 1 < uses.count ? uses[index + 1].start : Int64.max
            // Not into what is known of another message.
            let start = max(use.start, min(before &+ 1, use.first))
            let end = min(use.end, max(after &- 1, use.last))
            return QueueLife(id, start...max(start, end), isLogged: use.isLogged)
        }
    }

    /// The message that had the id at a time; one of which nothing is known, where none had it.
    func life(at time: Int64) -> QueueLife {
        all.last { $0.span.contains(time) } ?? QueueLife(id, unknownAt: time)
    }

    /// How far back the entries of messages may lie whose first lines the log does not have any more; in microseconds since 1970.
    static func spansBeforeLog(_ lines: [MailLogLine]) -> [ClosedRange<Int64>] {
        uses(of: lines).filter { !$0.hasBeginning }.map { $0.first - queueLifetime...$0.first }
    }

    // MARK: Uses

    /// What is known of one message's use of the id; times in microseconds since 1970.
    private struct Use {
        /// The first and the last time of it.
        private(set) var first: Int64
        var last: Int64
        /// From when on it may be recorded.
        var start: Int64
        /// Whether what it began with is known.
        private(set) var hasBeginning = false
        /// Whether it is known to have ended.
        var isOver = false
        var isLogged = true
        var messageID: String?

        /// One that begins with a line, which may not be its first.
        init(line time: Int64) {
            (first, last) = (time, time)
            start = time - QueueLife.slack
        }

        /// One that the log does not know.
        init(_ entries: ClosedRange<Int64>) {
            (first, last) = (entries.lowerBound, entries.upperBound)
            start = first - QueueLife.slack
            (hasBeginning, isOver, isLogged) = (true, true, false)
        }

        /// Takes it that this is the beginning.
        mutating func begin(at time: Int64) {
            first = min(first, time)
            start = first - QueueLives.haste
            hasBeginning = true
        }

        /// Until when: what is not over may go on for as long as its client takes.
        var end: Int64 { last + (isOver ? QueueLife.slack : QueueLives.queueLifetime) }

        /// Whether an entry may be about this message; one of the same Message-ID may be of another clock.
        func covers(_ entry: FlightEntry) -> Bool {
            if (start...end).contains(entry.time) { return true }
            guard let messageID, messageID == entry[.messageID] else { return false }
            return entry.time <= end && entry.time >= first - QueueLife.slack
        }
    }

    /// The uses that some lines of an id are about, in the order of time.
    private static func uses(of lines: [MailLogLine]) -> [Use] {
        var uses: [Use] = []
        for line in lines.sorted(by: { $0.time < $1.time }) {
            let event = PostfixEvent(line)
            var isNew = uses.last?.isOver ?? true
            switch event {
            case .begin: isNew = true
            case .messageID(let id):
                isNew = isNew || uses.last?.messageID.map { $0 != id } == true
            default: break
            }
            var use = Use(line: line.time)
            if !isNew, let last = uses.popLast() {
                use = last
                use.last = line.time
            }
            switch event {
            case .begin: use.begin(at: use.first)
            case .messageID(let id):
                use.begin(at: use.first)
                use.messageID = id
            case .removed, .deletion: use.isOver = true
            // cleanup(8) has had the whole message then, and does not keep it.
            case .refusal(let refusal)
            where refusal.stage == "END-OF-MESSAGE" && line.program.hasSuffix("/cleanup"):
                use.isOver = true
            default: break
            }
            uses.append(use)
        }
        return uses
    }

    /// When the daemons recorded something of the id: what one message left lies close together.
    private static func groups(of entries: [FlightEntry]) -> [ClosedRange<Int64>] {
        var groups: [ClosedRange<Int64>] = []
        var messageIDs: [FlightDaemon: String] = [:]
        for entry in entries.sorted(by: { $0.time < $1.time }) {
            let id = entry[.messageID]
            // Two messages are not one, however soon the second came.
            let isOther = id != nil && messageIDs[entry.daemon].map { $0 != id } == true
            if let last = groups.last, entry.time - last.upperBound <= QueueLife.slack, !isOther {
                groups[groups.count - 1] = last.lowerBound...entry.time
            } else {
                groups.append(entry.time...entry.time)
                messageIDs = [:]
            }
            if let id { messageIDs[entry.daemon] = id }
        }
        return groups
    }
}
