import DaemonKit
import MailAuth
import MailSyntax
import Milter
import MilterDaemon

/// The work on one message, from the end of its header section to its end.
struct MessageTask: ~Copyable {
    private let plan: MessagePlan?
    private var signer: DKIMSigner?
    private var verification: VerificationTask?

    /// Before the header section has ended there is nothing to do.
    static var waiting: MessageTask { MessageTask() }

    private init() {
        plan = nil
        signer = nil
        verification = nil
    }

    /// Begins what was planned.
    init(
        _ plan: MessagePlan, header: HeaderSection, configuration: DKIMConfiguration,
        services: Services
    ) {
        self.plan = plan
        signer =
            if case .sign(let keys) = plan.work {
                DKIMSigner(
                    header: header, keys: keys, recipe: configuration.recipe,
                    time: configuration.fixedTime ?? services.now)
            } else { nil }
        verification =
            if case .verify(let authors) = plan.work {
                VerificationTask(
                    header: header, authors: authors, configuration: configuration,
                    services: services)
            } else { nil }
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
    mutating func finish(_ context: MessageContext, keys: ParsedKeyCache) -> MilterVerdict {
        guard let plan else { return MilterVerdict() }
        logDecision(plan, context)
        switch plan.work {
        case .nothing:
            return MilterVerdict(edits: plan.removesForgeries ? context.resultRemovals : [])
        case .verify:
            guard let verification = verification.take() else { return MilterVerdict() }
            return verification.finish(context, keys: keys)
        case .sign:
            guard let signer = signer.take() else { return MilterVerdict() }
            return SigningOutcome.finish(signer, context)
        case .cannotSign(let reason):
            return SigningOutcome.failure(
                reason, context.configuration.actions.signatureError, context)
        case .refuse(let fault):
            return context.perform(
                .reject, why: fault,
                refusal: Refusal(detail: "6.0", text: "Message refused: \(fault) (RFC 5322)"))
        case .oversized:
            let limit = context.configuration.maximumHeaderOctets
            return context.perform(
                context.configuration.actions.security,
                why: "the header section has more than \(limit) octets",
                refusal: Refusal(detail: "3.4", text: "Message header section too long"),
                edits: context.resultRemovals)
        }
    }

    private func logDecision(_ plan: MessagePlan, _ context: MessageContext) {
        let log = context.log
        if context.configuration.logsWhy {
            for step in plan.steps { log.info(context.queueID, step) }
        }
        if let impersonation = plan.impersonation { log.warning(context.queueID, impersonation) }
        if let reason = plan.notSigned { log.info(context.queueID, "\(reason); not signed") }
    }
}
