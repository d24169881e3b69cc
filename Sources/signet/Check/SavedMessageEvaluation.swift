import DaemonKit
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Threads

/// Evaluates saved messages as the daemons do.
struct SavedMessageEvaluation {
    private let tools: EvaluationTools

    /// Prepares to evaluate.
    ///
    /// - Parameters:
    ///   - resolver: answers the questions.
    ///   - now: when the message was received, in seconds since 1970.
    init(resolver: any DNSResolver, now: Int64) {
        tools = EvaluationTools(
            resolver: resolver, time: TimeSource(now: { .now() }, seconds: { now }))
    }

    /// Evaluates one message: SPF where the client is known, and DKIM, ARC and DMARC in any case.
    ///
    /// Without a client DMARC rests on DKIM alone.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - client: what is known of the envelope; nil when nothing is.
    /// - Returns: the results.
    /// - Throws: where a method was not evaluated.
    func evaluate(_ message: MessageFile, from client: EnvelopeFacts?) throws -> MessageReport {
        let envelope = client.map { Envelope($0.request) } ?? Envelope()
        var evaluation = MessageEvaluation(
            header: message.header, author: AuthorField(of: message.header), envelope: envelope,
            options: Self.options, tools: tools)
        evaluation.update(message.body.span)
        let found = evaluation.finish(by: .distantFuture)
        guard let dkim = found.dkim, let arc = found.arc, let dmarc = found.dmarc else {
            throw CommandFailure(.software, "cannot be evaluated")
        }
        return MessageReport(
            spf: found.spf, dkim: dkim, arc: arc, dmarc: dmarc, client: client?.address)
    }

    /// All methods, with the time that a person waits.
    private static var options: EvaluationOptions {
        var options = EvaluationOptions(answerSeconds: ResolverOptions.timeout)
        options.spf = SPFLimits()
        options.wantsExplanation = true
        options.dkim = DKIMVerifierOptions()
        options.arc = ARCOptions()
        options.dmarc = DMARCOptions()
        return options
    }
}

extension EnvelopeFacts {
    /// The SPF check of the sender.
    fileprivate var request: SPFRequest {
        .mailFrom(Array(sender.utf8), helo: Array(helo.utf8), client: address)
    }
}
