import DaemonKit
import FlightRecord
import MailAuth
import MailSyntax
import Milter
import MilterDaemon
import Observation

/// What becomes of a message of ours: its signatures, or the action for a failure.
enum SigningOutcome {
    /// Signs, and answers with the new fields.
    ///
    /// - Parameters:
    ///   - signer: what has taken the message.
    ///   - context: what is known at end of message.
    ///   - count: is told of the signatures that are added.
    /// - Returns: the answer.
    static func finish(
        _ signer: consuming DKIMSigner, _ context: DKIMMessageContext,
        count: ([SignedField]) -> Void
    ) -> MilterVerdict {
        let signatures: [SignedField]
        do {
            signatures = try signer.finish()
        } catch {
            return failure("\(error)", context.configuration.actions.internalError, context)
        }
        if context.configuration.logsSuccess {
            let names = signatures.map { "(s=\($0.selector), d=\($0.domain))" }
            context.log.info(
                context.queueID, "DKIM-Signature field added \(names.joined(separator: ", "))")
        }
        count(signatures)
        context.trace?.say { said in
            said.outcome = .signed
            said.signatures = signatures.map { made in
                MessageTrace.Signature(
                    domain: made.domain.ascii, selector: made.selector.ascii,
                    algorithm: made.algorithm.rawValue)
            }
        }
        // The last one inserted stands on top: backwards, so that the first key's does.
        let added = signatures.reversed().map { signature in
            MessageEdit.insertHeader(
                index: 0, name: SignedField.name.text, value: signature.value)
        }
        return MilterVerdict(
            edits: context.resultRemovals + removals(context) + added + context.softwareHeader)
    }

    /// The action for a message that should be signed and cannot be.
    static func failure(
        _ reason: String, _ action: Actions.Action, _ context: DKIMMessageContext
    ) -> MilterVerdict {
        let why = "cannot be signed: \(reason)"
        if action == .accept {
            context.log.error(context.queueID, "\(why); not signed")
            context.trace?.say { said in
                (said.outcome, said.reason, said.unsigned) = (.unsigned, why, "key")
            }
        }
        return context.perform(
            action, why: why, level: .error,
            refusal: Refusal(detail: "7.0", text: "Message cannot be signed"), isTemporary: true,
            edits: context.resultRemovals)
    }

    /// The old signatures that go, the lowest first, as each deletion renumbers those below it.
    private static func removals(_ context: DKIMMessageContext) -> [MessageEdit] {
        guard context.configuration.removesOldSignatures else { return [] }
        let count = context.header.count(named: .dkimSignature)
        return (0..<count).reversed().map {
            .deleteHeader(name: FieldName.dkimSignature.text, occurrence: $0 + 1)
        }
    }
}
