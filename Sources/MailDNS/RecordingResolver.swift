public import Threads

/// A resolver that asks another one, and remembers what was asked and answered.
///
/// It serves explanations, replay, and tests that count questions.
public final class RecordingResolver: DNSResolver {
    /// One question that was asked.
    public struct Entry: Hashable, Sendable {
        /// The question.
        public let question: DNSQuestion
        /// Its answer; nil while it is under way.
        public internal(set) var answer: DNSAnswer?
        /// The seconds from the question to its answer; nil while it is under way.
        public internal(set) var seconds: Double?
    }

    private final class Log: Sendable {
        let entries = Locked<[Entry]>([])
    }

    private let base: any DNSResolver
    private let log = Log()

    /// Creates a recorder in front of a resolver.
    public init(_ base: any DNSResolver) {
        self.base = base
    }

    /// The questions so far, in the order in which they were asked.
    public var entries: [Entry] { log.entries.withLock { $0 } }

    /// Starts to look a question up with the other resolver, and records it.
    public func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        let start = MonotonicTime.now()
        let index = log.entries.withLock { entries in
            entries.append(Entry(question: question, answer: nil, seconds: nil))
            return entries.count - 1
        }
        let pending = base.begin(question, deadline: deadline)
        pending.observe { [log] answer in
            let seconds = MonotonicTime.now().seconds(since: start)
            log.entries.withLock { entries in
                entries[index].answer = answer
                entries[index].seconds = seconds
            }
        }
        return pending
    }
}
