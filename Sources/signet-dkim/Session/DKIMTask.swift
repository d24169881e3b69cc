import DaemonKit
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Milter
import MilterDaemon
import Observation
import Threads

/// The work on one message, from the end of its header section to its end.
struct DKIMTask: ~Copyable {
    private let plan: MessagePlan?
    private var signer: DKIMSigner?
    private var verification: MessageEvaluation?
    private let services: DKIMServices?
    private let questions: RecordingResolver?
    private let witness: MessageWitness?

    /// The longest that the answer at end of message is waited for, in seconds: less than the 300
    /// of Postfix (milter_content_timeout).
    private static let answerLimit = 240.0

    /// Before the header section has ended there is nothing to do.
    static var waiting: DKIMTask { DKIMTask() }

    private init() {
        plan = nil
        signer = nil
        verification = nil
        services = nil
        questions = nil
        witness = nil
    }

    /// Begins what was planned.
    init(
        _ plan: MessagePlan, header: HeaderSection, client: IPAddress?,
        configuration: DKIMConfiguration, services: DKIMServices
    ) {
        self.plan = plan
        self.services = services
        questions = services.observer.recording(services.tools.resolver)
        witness = services.witness()
        let tools =
            questions == nil && witness == nil
            ? services.tools : services.tools.remembering(questions, witness)
        signer =
            if case .sign(let keys) = plan.work {
                DKIMSigner(
                    header: header, keys: keys, recipe: configuration.recipe,
                    time: configuration.fixedTime ?? services.now)
            } else { nil }
        verification =
            if case .verify(let author) = plan.work {
                MessageEvaluation(
                    header: header, author: author, envelope: Envelope(address: client),
                    options: configuration.verification, tools: tools)
            } else { nil }
    }

    /// Whether the message is of those that are signed where there is a key: not from outside, and signing is what the daemon is for.
    var isSignable: Bool {
        guard let plan else { return false }
        return !plan.isFromOutside && plan.unsigned != .mode
    }

    /// Takes a piece of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        signer?.update(chunk)
        verification?.update(chunk)
    }

    /// Gives the message up.
    mutating func abandon() {
        verification.take()?.abandon()
    }

    /// Ends the work: logs what was done, and answers with the edits and the reply.
    ///
    /// - Parameters:
    ///   - context: what is known at end of message.
    ///   - recipients: the domains that it goes to, as far as that is asked for.
    /// - Returns: the answer.
    mutating func finish(
        _ context: DKIMMessageContext, recipients: Set<String> = []
    ) -> MilterVerdict {
        guard let plan else { return MilterVerdict() }
        logDecision(plan, context)
        context.trace?.add(questions, witness)
        context.trace?.tell(plan, context.configuration)
        switch plan.work {
        case .nothing:
            return MilterVerdict(edits: plan.removesForgeries ? context.resultRemovals : [])
        case .verify(let author):
            guard let services,
                let outcome = verification.take()?.finish(
                    by: services.tools.time.now() + Self.answerLimit
                ).dkim
            else { return MilterVerdict() }
            return VerificationOutcome(outcome, authors: author.domains, context).verdict()
        case .sign:
            guard let signer = signer.take() else { return MilterVerdict() }
            let isCounted = !context.configuration.observation.isShadow
            return SigningOutcome.finish(signer, context) { [services] signatures in
                if isCounted { services?.count(signatures, to: recipients) }
            }
        case .cannotSign(let reason):
            return SigningOutcome.failure(
                reason, context.configuration.actions.signatureError, context)
        case .refuse(let fault):
            return context.perform(
                .reject, why: fault,
                refusal: Refusal(detail: "6.0", text: "Message refused: \(fault) (RFC 5322)"))
        case .oversized:
            let removals = context.resultRemovals
            guard removals.count <= MilterVerdict.maximumEdits else {
                // No later attempt could have another end.
                return context.perform(
                    .reject, why: "\(removals.count) fields would have to be removed",
                    refusal: Refusal(
                        detail: "6.0",
                        text: "too many header fields that would have to be changed"))
            }
            let limit = context.configuration.maximumHeaderOctets
            return context.perform(
                context.configuration.actions.security,
                why: "the header section has more than \(limit) octets",
                refusal: Refusal(detail: "3.4", text: "Message header section too long"),
                edits: removals)
        }
    }

    private func logDecision(_ plan: MessagePlan, _ context: DKIMMessageContext) {
        let log = context.log
        if context.configuration.logsWhy {
            for step in plan.steps { log.info(context.queueID, step) }
        }
        if let impersonation = plan.impersonation { log.warning(context.queueID, impersonation) }
        for warning in plan.keyWarnings { log.warning(context.queueID, warning) }
        if let reason = plan.notSigned {
            // Of mail from outside nobody expects a signature.
            log.log(
                plan.isFromOutside ? .debug : .info, queueID: context.queueID,
                "\(reason); not signed")
        }
    }
}
