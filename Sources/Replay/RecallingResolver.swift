package import MailDNS
package import Threads

/// A resolver that gives the answers of then, at the times of then.
///
/// What was not asked then is not known: such a question fails, and is remembered.
package final class RecallingResolver: DNSResolver {
    private struct State: Sendable {
        var answers: [DNSQuestion: [RecordingResolver.Entry]] = [:]
        var unknown: [DNSQuestion] = []
        var offset = 0.0
    }

    private let state: Locked<State>
    private let base = MonotonicTime.now()
    private let ended: Double
    private let received: Int64

    /// Recalls what a record tells.
    package init(_ facts: RecordedFacts) {
        var state = State()
        for entry in facts.questions { state.answers[entry.question, default: []].append(entry) }
        self.state = Locked(state)
        ended = facts.ended
        received = facts.received
    }

    /// The questions that were not asked then.
    package var unknown: [DNSQuestion] { state.withLock { $0.unknown } }

    /// The clocks of then: time goes on with the questions, as it did.
    package var time: TimeSource {
        TimeSource(
            now: { [base, state] in base + state.withLock { $0.offset } },
            seconds: { [received] in received })
    }

    package func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        .ready(answer(to: question))
    }

    private func answer(to question: DNSQuestion) -> DNSAnswer {
        state.withLock { state in
            guard var entries = state.answers[question], let entry = entries.first else {
                if !state.unknown.contains(question) { state.unknown.append(question) }
                // Then, time was over before it came to this question.
                state.offset = max(state.offset, ended)
                return .failure(.timeout)
            }
            // Asked more than once, it may have had more than one answer; the last one stays.
            if entries.count > 1 {
                entries.removeFirst()
                state.answers[question] = entries
            }
            state.offset = max(state.offset, entry.begun)
            return entry.answer ?? .failure(.timeout)
        }
    }
}
