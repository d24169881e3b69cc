internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import Threads

/// Asks the questions of one message, as far as its budget and the shares of its sender go.
///
/// A sender names as many keys, records and servers as it likes, and may see to it that none of
/// them answers. So a message has a number of questions that may have to be waited for, and what
/// one client and one sender's domain have under way at once is a small part of all. Answers at
/// hand cost nothing.
final class MessageQuestions: Sendable {
    private let base: any DNSResolver
    private let limit: Int
    private let shares: QuestionShares
    private let owners: [QuestionShares.Owner]
    private let recorder: RecordingResolver?
    /// How many questions had no answer at hand.
    private let waited = Locked(0)

    /// The part of a message's questions that only policies can have.
    private static let policyPart = 4

    /// Prepares to ask.
    ///
    /// - Parameters:
    ///   - base: who answers.
    ///   - limit: how many questions may have to be waited for.
    ///   - shares: what all messages have under way.
    ///   - owners: whose shares they take.
    ///   - recorder: remembers the questions, those too that are not asked of anybody.
    init(
        _ base: any DNSResolver, limit: Int, shares: QuestionShares,
        owners: [QuestionShares.Owner], recorder: RecordingResolver? = nil
    ) {
        self.recorder = recorder
        self.base = base
        self.limit = limit
        self.shares = shares
        self.owners = owners
    }

    /// Asks for keys, for records of SPF, and for names.
    var general: any DNSResolver { purse(limit - limit / Self.policyPart) }

    /// Asks for policies: the last questions of a message are theirs.
    var policies: any DNSResolver { purse(limit) }

    private func purse(_ limit: Int) -> any DNSResolver {
        let purse = Purse(questions: self, limit: limit)
        return recorder.map { $0.recording(purse) } ?? purse
    }

    private struct Purse: DNSResolver {
        let questions: MessageQuestions
        let limit: Int

        func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
            questions.begin(question, deadline: deadline, limit: limit)
        }
    }

    private func begin(
        _ question: DNSQuestion, deadline: MonotonicTime, limit: Int
    ) -> PendingAnswer {
        let count = waited.withLock { $0 }
        guard count < limit else {
            return .ready(.failure(.resolver("too many questions for one message")))
        }
        // Most messages wait for nothing, and the first question may always be asked.
        guard count == 0 || !shares.areFull(owners) else {
            return .ready(.failure(.resolver("too many questions are under way for one sender")))
        }
        let pending = base.begin(question, deadline: deadline)
        guard !pending.isSettled else { return pending }
        waited.withLock { $0 += 1 }
        shares.enter(owners)
        pending.observe { [shares, owners] _ in shares.leave(owners) }
        return pending
    }
}
