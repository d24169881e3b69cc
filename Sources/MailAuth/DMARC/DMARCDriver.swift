public import MailDNS
public import Threads

/// Asks a resolver what an evaluation of DMARC wants to know, and waits for the answers.
///
/// The decisions are the evaluator's; here are the questions under way, and the time that they may
/// take.
public struct DMARCDriver: Sendable {
    private var evaluator: DMARCEvaluator
    private let resolver: any DNSResolver
    private var pending: [DNSQuestion: PendingAnswer] = [:]

    /// Prepares to ask; nothing is asked yet.
    public init(_ evaluator: DMARCEvaluator, resolver: any DNSResolver) {
        self.evaluator = evaluator
        self.resolver = resolver
    }

    /// Asks what can be asked before the identifiers are known.
    ///
    /// Answers that are at hand are taken. Where one has to be waited for, all names that may be
    /// needed next are asked for meanwhile.
    ///
    /// - Parameter deadline: when the answers are given up.
    public mutating func begin(deadline: MonotonicTime) {
        while let question = evaluator.questions.first(where: { pending[$0] == nil }) {
            let begun = resolver.begin(question, deadline: deadline)
            if let known = begun.poll() {
                evaluator.answer(question, known)
            } else {
                pending[question] = begun
                evaluator.askAhead()
            }
        }
        guard !pending.isEmpty else { return }
        for question in evaluator.existenceQuestions where pending[question] == nil {
            pending[question] = resolver.begin(question, deadline: deadline)
        }
    }

    /// Tells what SPF and DKIM have found, asks all questions that are left, those at once that are
    /// known at once, and evaluates.
    ///
    /// - Parameters:
    ///   - identifiers: what SPF and DKIM have found.
    ///   - deadline: when the answers are given up.
    /// - Returns: the evaluation.
    public consuming func finish(
        _ identifiers: [DMARCIdentifier], deadline: MonotonicTime
    ) -> DMARCEvaluation {
        evaluator.identify(identifiers)
        while let first = evaluator.questions.first {
            for question in evaluator.questions where pending[question] == nil {
                pending[question] = resolver.begin(question, deadline: deadline)
            }
            guard let next = pending.removeValue(forKey: first) else { break }
            evaluator.answer(first, next.wait(until: deadline))
        }
        cancel()
        return evaluator.finish()
    }

    /// Gives up: nobody waits for the answers any more.
    public func cancel() {
        for answer in pending.values { answer.cancel() }
    }
}
