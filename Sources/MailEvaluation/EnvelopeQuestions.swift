internal import MailAuth
internal import Threads

/// The questions that can be asked as soon as SMTP has told who sends.
package struct EnvelopeQuestions: Sendable {
    /// The SPF record.
    let spf: SPFPrefetch
    /// The client's name; nil where nobody wants to know.
    let reverse: ReverseLookup?

    /// None.
    package init() {
        spf = SPFPrefetch()
        reverse = nil
    }

    /// Asks.
    package init(_ envelope: Envelope, _ options: EvaluationOptions, _ tools: EvaluationTools) {
        spf =
            if let limits = options.spf, let request = envelope.spfRequest {
                tools.spfEvaluator(limits, wantsExplanation: false).prefetch([request])
            } else { SPFPrefetch() }
        reverse =
            if options.looksUpClient, let address = envelope.address {
                ReverseLookup(
                    of: address, resolver: tools.resolver,
                    deadline: tools.time.now() + options.answerSeconds)
            } else { nil }
    }

    /// Gives up: nobody waits for the answers any more.
    package func cancel() {
        spf.cancel()
        reverse?.cancel()
    }
}
