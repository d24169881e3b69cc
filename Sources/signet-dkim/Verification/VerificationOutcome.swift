import DaemonKit
import MailAuth
import MailDNS
import MailSyntax
import Milter
import MilterDaemon

/// What becomes of a message that was verified: the line in the log, the results field, the action.
struct VerificationOutcome {
    private let context: DKIMMessageContext
    private let verdicts: [SignaturePolicy.Verdict]
    private let ignoredSignatures: Int

    /// Judges the engine's results by the administrator's policy.
    init(_ outcome: DKIMOutcome, authors: [DomainName], _ context: DKIMMessageContext) {
        self.context = context
        let policy = context.configuration.signaturePolicy
        verdicts = outcome.results.map { policy.judge($0, authors: authors) }
        ignoredSignatures = outcome.ignoredSignatures
        context.trace?.tell(verdicts)
    }

    /// Logs, and answers with the edits and the reply.
    func verdict() -> MilterVerdict {
        let (action, why, detail) = finding
        let summary = summary
        if action == .accept, !summary.isEmpty { context.log.info(context.queueID, summary) }
        // Only an answer of the DNS that is still to come can change what was found.
        let isTemporary = verdicts.contains { $0.status == .temperror }
        let edits = context.resultRemovals + resultsField + context.softwareHeader
        return context.perform(
            action, why: why, line: verdicts.isEmpty ? why : summary,
            refusal: Refusal(detail: detail, text: "DKIM: \(why)"), isTemporary: isTemporary,
            edits: edits)
    }

    /// What the message's signatures come to, with the enhanced status code's end (RFC 7372, section 3.1).
    private var finding: (action: Actions.Action, why: String, detail: String) {
        let actions = context.configuration.actions
        if verdicts.contains(where: { $0.status == .pass }) { return (.accept, "", "7.20") }
        guard let first = verdicts.first else {
            return (actions.noSignature, "no signature", "7.20")
        }
        // A signature that could still pass decides before those that cannot.
        if let waiting = verdicts.first(where: { $0.status == .temperror }) {
            let action =
                waiting.result.isResolverFailure ? actions.internalError : actions.dnsError
            return (action, words(waiting), "7.5")
        }
        // "Verifiers MUST NOT treat messages from Signers in testing mode differently from unsigned email, even should the
        // signature fail to verify" (RFC 6376, section 3.6.1).
        if let counted = verdicts.first(where: { !$0.result.isTesting && !$0.result.isKeyMissing })
        {
            return (actions.badSignature, words(counted), "7.20")
        }
        if let missing = verdicts.first(where: { $0.result.isKeyMissing }) {
            return (actions.keyNotFound, words(missing), "7.20")
        }
        return (actions.noSignature, words(first), "7.20")
    }

    private func words(_ verdict: SignaturePolicy.Verdict) -> String {
        let name = verdict.result.domain.map { " of \($0)" } ?? ""
        return "signature\(name): \(reason(verdict))"
    }

    private func reason(_ verdict: SignaturePolicy.Verdict) -> String {
        verdict.reason ?? verdict.status.rawValue
    }

    /// Our field, if there is anything to say.
    private var resultsField: [MessageEdit] {
        let policy = context.configuration.results
        guard !verdicts.isEmpty || policy.always else { return [] }
        var methods = verdicts.map { $0.methodResult(withoutHeaderB: policy.withoutHeaderB) }
        if methods.isEmpty { methods = [.dkim("none")] }
        var identifier = context.authservID
        if policy.withJobID, let queueID = context.queueID {
            identifier = identifier.with(jobID: queueID)
        }
        return [
            .insertHeader(
                index: 0, name: FieldName.authenticationResults.text,
                value: AuthenticationResults(identifier, methods).fieldValue())
        ]
    }

    /// What the one line about the message says; empty where there is nothing to say.
    private var summary: String {
        let configuration = context.configuration
        if verdicts.isEmpty { return configuration.logsSuccess ? "no signature data" : "" }
        var parts: [String] = []
        let valid = verdicts.filter { $0.status == .pass }.map { "(\(name($0)))" }
        if configuration.logsSuccess, !valid.isEmpty {
            parts.append("DKIM verification successful \(valid.joined(separator: ", "))")
        }
        for verdict in verdicts where verdict.status != .pass {
            let hasNoKey = verdict.status == .temperror || verdict.result.isKeyMissing
            let what = hasNoKey ? "key retrieval failed" : "DKIM verification failed"
            parts.append("\(what) (\(name(verdict))): \(reason(verdict))")
        }
        if ignoredSignatures > 0 {
            parts.append("\(ignoredSignatures) more signatures were not evaluated")
        }
        guard configuration.logsResults else { return parts.joined(separator: "; ") }
        parts += verdicts.map { verdict in
            let algorithm = verdict.result.algorithm?.rawValue ?? "?"
            return "signature result (\(name(verdict)), a=\(algorithm)): \(verdict.status.rawValue)"
        }
        return parts.joined(separator: "; ")
    }

    private func name(_ verdict: SignaturePolicy.Verdict) -> String {
        "s=\(verdict.result.selector?.ascii ?? "?"), d=\(verdict.result.domain?.ascii ?? "?")"
    }
}

extension DKIMResult {
    /// Whether the key that the signature names does not exist.
    var isKeyMissing: Bool { if case .noKey = reason { true } else { false } }

    /// Whether the key could not be asked for, by a fault of ours rather than of the DNS.
    var isResolverFailure: Bool {
        if case .dns(let failure) = reason, case .resolver = failure { true } else { false }
    }
}
