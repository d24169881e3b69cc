internal import Glibc
internal import Threads

/// Counts the signatures that are made, and writes the counts on a thread of its own.
///
/// Nobody who answers mail waits for a disk: counting is a short look under a lock. What was counted in the last seconds is lost if
/// the daemon is killed. What the disk does not take waits, bounded; what is dropped is counted and said.
package final class SigningLog: Sendable {
    private struct State: Sendable {
        var counts: [SigningCount: SigningNumbers] = [:]
        var dropped: Int64 = 0
        var isClosed = false
        var isDone = false
    }

    private let state = Monitor(State())
    private let seconds: @Sendable () -> Int64

    /// How many different counts may wait.
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
            Self.write(state, folder, seconds, report)
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
        let day = max(0, seconds()) / 86_400
        var targets = Array(recipients.prefix(Self.mostRecipients))
        if targets.isEmpty { targets = [""] }
        let wakes = state.withLock { state in
            guard !state.isClosed else { return false }
            let wasEmpty = state.counts.isEmpty
            var seen: Set<String> = []
            for signature in signatures {
                let isFirst = seen.insert(signature.domain).inserted
                for target in targets {
                    let count = SigningCount(
                        day: day, domain: signature.domain, selector: signature.selector,
                        algorithm: signature.algorithm, recipient: target)
                    guard state.counts.count < Self.capacity || state.counts[count] != nil else {
                        state.dropped += 1
                        continue
                    }
                    state.counts[count, default: SigningNumbers()].add(
                        SigningNumbers(signatures: 1, messages: isFirst ? 1 : 0))
                }
            }
            return wasEmpty
        }
        if wakes { state.wakeAll() }
    }

    /// Ends: what waits is written, if that can be done within some seconds.
    package func close() {
        state.update { $0.isClosed = true }
        _ = state.wait(until: .now() + Self.closing) { $0.isDone ? true : nil }
    }

    private static func write(
        _ state: Monitor<State>, _ folder: SigningFolder, _ seconds: () -> Int64,
        _ report: (String) -> Void
    ) {
        var tidied: Int64 = -1
        var lastLine: MonotonicTime?
        func say(_ words: String) {
            let now = MonotonicTime.now()
            if let lastLine, now.seconds(since: lastLine) < silence { return }
            lastLine = now
            report("SigningLog: \(words)")
        }
        while true {
            _ = state.wait(until: .distantFuture) { state in
                state.isClosed || !state.counts.isEmpty ? true : nil
            }
            _ = state.wait(until: .now() + gathering) { $0.isClosed ? true : nil }
            var (counts, dropped, isLast) = state.withLock { state in
                defer { (state.counts, state.dropped) = ([:], 0) }
                return (state.counts, state.dropped, state.isClosed)
            }
            if dropped > 0 { say("\(dropped) signatures were not counted: too many differ") }
            do throws(SigningLogError) {
                try folder.append(&counts)
            } catch {
                say("signatures cannot be counted: \(error)")
                putBack(counts, state)
            }
            let today = max(0, seconds()) / 86_400
            if tidied != today, counts.isEmpty {
                // Once a day, whatever comes of it.
                tidied = today
                do throws(SigningLogError) {
                    try folder.tidy(today: today)
                } catch {
                    say("a file cannot be put in order: \(error)")
                }
            }
            if isLast { return }
        }
    }

    /// What the disk has not taken waits for the next attempt, beside what has come since.
    private static func putBack(_ counts: [SigningCount: SigningNumbers], _ state: Monitor<State>) {
        state.withLock { state in
            for (count, numbers) in counts {
                guard state.counts.count < capacity || state.counts[count] != nil else {
                    state.dropped += numbers.signatures
                    continue
                }
                state.counts[count, default: SigningNumbers()].add(numbers)
            }
        }
    }
}
