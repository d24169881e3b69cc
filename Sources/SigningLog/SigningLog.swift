internal import Glibc
internal import Threads

/// Counts the signatures that are made, and writes the counts on a thread of its own.
///
/// Nobody who answers mail waits for a disk, or counts: what was signed is put down under a lock, and the writer adds it up. What
/// was signed in the last seconds is lost if the daemon is killed. What the disk does not take waits, bounded; what is dropped is
/// counted and said.
package final class SigningLog: Sendable {
    /// A message that waits to be counted.
    private struct Signed: Sendable {
        let day: Int64
        let signatures: [Signature]
        let recipients: [String]
        /// How many counts it touches at most.
        var counts: Int { signatures.count * max(1, recipients.count) }
    }

    private struct State: Sendable {
        var messages: [Signed] = []
        /// How many counts the messages touch together, at most.
        var waiting = 0
        var dropped: Int64 = 0
        var isClosed = false
        var isDone = false
    }

    private let state = Monitor(State())
    private let seconds: @Sendable () -> Int64

    /// How many different counts may wait, and how many the messages that wait may touch.
    private static let capacity = 100_000
    /// How many domains of recipients a message is counted for.
    package static let mostRecipients = 100
    /// How long counts are gathered before they are written, in seconds.
    private static let gathering = 5.0
    /// How long an end waits for what is left to be written, in seconds.
    private static let closing = 3.0
    /// How long to be silent after a line about a failure, in seconds.
    private static let silence = 60.0

    /// Starts to write.
    ///
    /// - Parameters:
    ///   - settings: where; without a directory there is no log.
    ///   - seconds: seconds since 1970.
    ///   - report: takes lines about failures, from the writer's thread.
    package init?(
        _ settings: SigningLogSettings, seconds: @escaping @Sendable () -> Int64,
        report: @escaping @Sendable (String) -> Void
    ) {
        guard let directory = settings.directory else { return nil }
        self.seconds = seconds
        let (state, folder) = (state, SigningFolder(path: directory))
        let hasStarted = startThread {
            var writer = Writer(state, folder, seconds: seconds, report: report)
            writer.run()
            state.update { $0.isDone = true }
        }
        guard hasStarted else {
            report("SigningLog: there is no thread to write it")
            return nil
        }
    }

    /// A signature that was made.
    package struct Signature: Hashable, Sendable {
        let domain: String
        let selector: String
        let algorithm: String

        /// A signature.
        package init(domain: String, selector: String, algorithm: String) {
            self.domain = domain
            self.selector = selector
            self.algorithm = algorithm
        }
    }

    /// Counts the signatures of a message, once for each domain that it goes to.
    ///
    /// - Parameters:
    ///   - signatures: the signatures.
    ///   - recipients: the domains, each once; none where they are not known.
    package func add(_ signatures: [Signature], to recipients: some Sequence<String>) {
        guard !signatures.isEmpty else { return }
        let message = Signed(
            day: max(0, seconds()) / 86_400, signatures: signatures,
            recipients: Array(recipients.prefix(Self.mostRecipients)))
        let wakes = state.withLock { state in
            guard !state.isClosed else { return false }
            guard state.waiting + message.counts <= Self.capacity else {
                state.dropped += Int64(message.counts)
                return false
            }
            let before = state.waiting
            state.messages.append(message)
            state.waiting += message.counts
            return state.messages.count == 1
                || (before < Self.enough && state.waiting >= Self.enough)
        }
        if wakes { state.wakeAll() }
    }

    /// How many counts are added up without waiting for more.
    private static let enough = capacity / 2

    /// Ends: what waits is written, if that can be done within some seconds.
    package func close() {
        state.update { $0.isClosed = true }
        _ = state.wait(until: .now() + Self.closing) { $0.isDone ? true : nil }
    }

    // MARK: The writer's thread

    private struct Writer {
        private let state: Monitor<State>
        private let folder: SigningFolder
        private let seconds: @Sendable () -> Int64
        private let report: @Sendable (String) -> Void
        /// What is not on the disk yet.
        private var counts: [SigningCount: SigningNumbers] = [:]
        private var dropped: Int64 = 0
        private var tidied: Int64 = -1
        private var lastLine: MonotonicTime?

        init(
            _ state: Monitor<State>, _ folder: SigningFolder,
            seconds: @escaping @Sendable () -> Int64, report: @escaping @Sendable (String) -> Void
        ) {
            (self.state, self.folder, self.seconds, self.report) = (state, folder, seconds, report)
        }

        mutating func run() {
            while true {
                let isLast = gather()
                if dropped > 0, say("\(dropped) counts were lost: too many wait, or differ") {
                    dropped = 0
                }
                do throws(SigningLogError) {
                    try folder.append(&counts)
                } catch {
                    // What is left waits for the next attempt, beside what comes.
                    _ = say("signatures cannot be counted: \(error)")
                }
                if counts.isEmpty { tidy() }
                if isLast { return }
            }
        }

        /// Waits for signatures, and a while for more, and adds them up; true where nothing comes after them.
        private mutating func gather() -> Bool {
            if counts.isEmpty {
                _ = state.wait(until: .distantFuture) { state in
                    state.isClosed || !state.messages.isEmpty ? true : nil
                }
            }
            let end = MonotonicTime.now() + SigningLog.gathering
            while true {
                let isClosedOrMany = state.wait(until: end) { state in
                    state.isClosed || state.waiting >= SigningLog.enough ? true : nil
                }
                let (messages, dropped, isLast) = state.withLock { state in
                    defer { (state.messages, state.waiting, state.dropped) = ([], 0, 0) }
                    return (state.messages, state.dropped, state.isClosed)
                }
                self.dropped += dropped
                for message in messages { add(message) }
                if isLast || isClosedOrMany == nil { return isLast }
            }
        }

        private mutating func add(_ message: Signed) {
            let recipients = message.recipients.isEmpty ? [""] : message.recipients
            var seen: Set<String> = []
            for signature in message.signatures {
                let isFirst = seen.insert(signature.domain).inserted
                for recipient in recipients {
                    let count = SigningCount(
                        day: message.day, domain: signature.domain, selector: signature.selector,
                        algorithm: signature.algorithm, recipient: recipient)
                    guard counts.count < SigningLog.capacity || counts[count] != nil else {
                        dropped += 1
                        continue
                    }
                    counts[count, default: SigningNumbers()].add(
                        SigningNumbers(signatures: 1, messages: isFirst ? 1 : 0))
                }
            }
        }

        /// Puts the folder in order, once a day, whatever comes of it.
        private mutating func tidy() {
            let today = max(0, seconds()) / 86_400
            guard tidied != today else { return }
            tidied = today
            do throws(SigningLogError) {
                try folder.tidy(today: today)
            } catch {
                _ = say("a file cannot be put in order: \(error)")
            }
        }

        /// Reports, once a minute at most; false where it is too early.
        private mutating func say(_ words: String) -> Bool {
            let now = MonotonicTime.now()
            if let lastLine, now.seconds(since: lastLine) < SigningLog.silence { return false }
            lastLine = now
            report("SigningLog: \(words)")
            return true
        }
    }
}
