package import MailAuth

/// What is evaluated of a message, and how.
///
/// A method without options is not evaluated.
package struct EvaluationOptions: Sendable {
    /// How much SPF may ask for.
    package var spf: SPFLimits?
    /// Whether the explanation of an SPF "fail" is worth a question.
    package var wantsExplanation = false
    /// How signatures are verified.
    package var dkim: DKIMVerifierOptions?
    /// How the chain is validated.
    package var arc: ARCOptions?
    /// How DMARC is evaluated.
    package var dmarc: DMARCOptions?
    /// Whether the client's name is looked up, and confirmed by its addresses.
    package var looksUpClient = false
    /// How long one answer of the DNS may take, in seconds.
    ///
    /// The keys, DMARC and the client's name have this time each, so that an answer that a sender
    /// withholds from one takes none from another.
    package var answerSeconds: Double

    /// How many questions of one message may have to be waited for: a sender decides what is asked,
    /// and who is.
    ///
    /// A quarter of them is kept for policies. It is more than eight signatures, a chain and a
    /// record of SPF as people write it need together.
    package var maximumQuestions = 36

    /// Nothing is evaluated yet.
    package init(answerSeconds: Double) {
        self.answerSeconds = answerSeconds
    }
}

extension SPFLimits {
    /// The limits for an evaluation that may wait so many seconds for one answer.
    ///
    /// "MTAs or other processors SHOULD impose a limit on the maximum amount of elapsed time to
    /// evaluate check_host(). Such a limit SHOULD allow at least 20 seconds" (RFC 7208, section
    /// 4.6.4). Postfix waits 300 seconds for the reply at end of message (milter_content_timeout).
    package init(answerSeconds: Double) {
        self.init()
        seconds = min(max(20, 3 * answerSeconds), 120)
        questionSeconds = min(answerSeconds, seconds / 3)
    }
}
