import MailAuth
import MailEvaluation
import MailSyntax
import Threads

/// The work on one message, from the end of its header section to its end: its evaluation, beside
/// what others report of it.
struct DMARCTask: ~Copyable {
    private let envelope: Envelope
    private let trusted: TrustedResults
    private var evaluation: MessageEvaluation
    private let services: DMARCServices

    /// The longest that the answer at end of message is waited for, in seconds: less than the 300
    /// of Postfix (milter_content_timeout).
    private static let answerLimit = 240.0

    /// Begins.
    ///
    /// - Parameters:
    ///   - header: the header section.
    ///   - author: what its From field says.
    ///   - envelope: what SMTP told.
    ///   - early: the questions that are under way since then; they are asked now where it is nil.
    ///   - configuration: how to evaluate.
    ///   - services: the resolver, the keys, the clock.
    ///   - tools: the tools for this message.
    init(
        header: HeaderSection, author: AuthorField, envelope: Envelope, early: EnvelopeQuestions?,
        configuration: DMARCConfiguration, services: DMARCServices, tools: EvaluationTools
    ) {
        self.envelope = envelope
        self.services = services
        trusted = TrustedResults(in: header, configuration.trusted, envelope.spfRequest)
        var reported = ReportedIdentifiers()
        reported.spf = trusted.spfIdentifier(envelope.spfRequest)
        reported.dkim = trusted.dkimIdentifiers
        evaluation = MessageEvaluation(
            header: header, author: author, envelope: envelope, early: early, reported: reported,
            options: configuration.evaluation, tools: tools)
    }

    /// Takes a piece of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        evaluation.update(chunk)
    }

    /// Waits for what the DNS still owes, and judges.
    consuming func finish() -> DMARCFindings? {
        let (envelope, trusted) = (envelope, trusted)
        let deadline = services.tools.time.now() + Self.answerLimit
        return DMARCFindings(evaluation.finish(by: deadline), envelope, trusted)
    }

    /// Gives up: nobody waits for the answers any more.
    consuming func abandon() {
        evaluation.abandon()
    }
}
