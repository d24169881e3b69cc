public import Threads

/// A resolver that asks another one, and remembers what was asked and answered.
///
/// It serves explanations, replay, and tests that count questions.
public final class RecordingResolver: DNSResolver {
    /// One question that was asked.
    public struct Entry: Hashable, Sendable {
        /// The question.
        public let question: DNSQuestion
        /// When it was asked, in seconds since the recorder was made.
        public let begun: Double
        /// Its answer; nil while it is under way.
        public internal(set) var answer: DNSAnswer?
        /// The seconds from the question to its answer; nil while it is under way.
        public internal(set) var seconds: Double?
        /// For how many seconds the answer held when it came; nil where nobody knows.
        public internal(set) var timeToLive: Int?

        /// Describes a question.
        public init(
            question: DNSQuestion, begun: Double, answer: DNSAnswer?, seconds: Double? = nil,
            timeToLive: Int? = nil
        ) {
            self.question = question
            self.begun = begun
            self.answer = answer
            self.seconds = seconds
            self.timeToLive = timeToLive
        }
    }

    /// A question with its promise, as whoever waits may learn of the answer before the recorder does.
    private struct Asked: Sendable {
        var entry: Entry
        weak var pending: PendingAnswer?

        /// The entry as it is now.
        var present: Entry {
            guard entry.answer == nil, let pending, let answer = pending.settled else {
                return entry
            }
            var entry = entry
            (entry.answer, entry.timeToLive) = (answer, pending.timeToLive)
            return entry
        }
    }

    private final class Log: Sendable {
        let start = MonotonicTime.now()
        let entries = Locked<[Asked]>([])
    }

    private let base: any DNSResolver
    private let log: Log

    /// Creates a recorder in front of a resolver.
    public convenience init(_ base: any DNSResolver) {
        self.init(base, Log())
    }

    private init(_ base: any DNSResolver, _ log: Log) {
        self.base = base
        self.log = log
    }

    /// A recorder in front of another resolver, with one memory for both.
    public func recording(_ other: any DNSResolver) -> RecordingResolver {
        RecordingResolver(other, log)
    }

    /// The questions so far, in the order in which they were asked.
    public var entries: [Entry] { log.entries.withLock { $0.map(\.present) } }

    /// When the recorder was made.
    public var start: MonotonicTime { log.start }

    /// Starts to look a question up with the other resolver, and records it.
    public func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        let start = MonotonicTime.now()
        let pending = base.begin(question, deadline: deadline)
        var entry = Entry(question: question, begun: start.seconds(since: log.start), answer: nil)
        // Most answers come from a cache, and are there.
        if let answer = pending.settled {
            entry.answer = answer
            entry.seconds = MonotonicTime.now().seconds(since: start)
            entry.timeToLive = pending.timeToLive
            log.entries.withLock { $0.append(Asked(entry: entry, pending: nil)) }
            return pending
        }
        let index = log.entries.withLock { entries in
            entries.append(Asked(entry: entry, pending: pending))
            return entries.count - 1
        }
        // The promise is kept by whoever answers: it must not keep itself.
        pending.observe { [log, weak pending] answer in
            let seconds = MonotonicTime.now().seconds(since: start)
            log.entries.withLock { entries in
                entries[index].entry.answer = answer
                entries[index].entry.seconds = seconds
                entries[index].entry.timeToLive = pending?.timeToLive
            }
        }
        return pending
    }
}
