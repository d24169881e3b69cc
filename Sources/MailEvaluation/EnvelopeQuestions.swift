internal import MailAuth
internal import Threads

/// The questions of one message, from those on that can be asked as soon as SMTP has told who
/// sends.
package struct EnvelopeQuestions: Sendable {
    /// What the message's further questions are asked with.
    let questions: MessageQuestions
    /// The SPF record.
    let spf: SPFPrefetch
    /// The client's name; nil where nobody wants to know.
    let reverse: ReverseLookup?

    /// Asks for the SPF record and the client's name.
    package init(_ envelope: Envelope, _ options: EvaluationOptions, _ tools: EvaluationTools) {
        questions = MessageQuestions(
            tools.resolver, limit: options.maximumQuestions, shares: tools.shares,
            owners: QuestionShares.owners(envelope.address, envelope.spfRequest?.domain),
            recorder: tools.recorder)
        spf =
            if let limits = options.spf, let request = envelope.spfRequest {
                tools.spfEvaluator(limits, wantsExplanation: false, asking: questions.general)
                    .prefetch(request.domain)
            } else { SPFPrefetch() }
        reverse =
            if options.looksUpClient, let address = envelope.address {
                ReverseLookup(
                    of: address, resolver: questions.general,
                    deadline: tools.time.now() + options.answerSeconds)
            } else { nil }
    }

    /// Gives up: nobody waits for the answers any more.
    package func cancel() {
        spf.cancel()
        reverse?.cancel()
    }
}
