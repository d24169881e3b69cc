import DaemonKit
import HeaderScrub
import MailSyntax
import Milter
import Traffic

/// What becomes of a message of ours: the plan as edits, the refusals, and the lines in the log.
struct ScrubOutcome {
    /// The fields that the MTA has shown.
    let header: HeaderSection
    /// The MTA's name for the message.
    let queueID: String?
    /// Who sent it.
    let client: Client
    /// Why it is ours.
    let reason: TrafficPolicy.Reason
    /// The configuration that the connection began with.
    let configuration: ScrubConfiguration
    /// What all sessions share.
    let services: ScrubServices
    /// When the message was received, in seconds since 1970.
    let now: Int64

    private var log: Log { services.log }

    /// Plans and decides.
    ///
    /// - Parameters:
    ///   - mtaName: the MTA's name for itself.
    ///   - author: the session.
    /// - Returns: the edits, or the refusal, and what a record keeps.
    func decision(mtaName: String?, author: ObjectIdentifier) -> ScrubDecision {
        guard header.limitExceeded == nil else {
            let reason = "the header section is too long to be scrubbed"
            log.notice(queueID, "refused: \(reason)")
            return .refusal(552, "5.3.4", "Message header too long", reason: reason)
        }
        var witness = services.witness
        let plan = ScrubPlan(
            header, policy: configuration.policy, mtaName: mtaName, queueID: queueID,
            now: now, witness: &witness)
        logSpared(plan)
        guard !plan.isLoop else {
            log.notice(queueID, "refused: \(plan.hops) hops")
            return .refusal(
                554, "5.4.6", "Error: too many hops",
                reason: "it has made \(plan.hops) hops, and HopLimit is "
                    + "\(configuration.policy.hopLimit)")
        }
        warnOfSignerBeforeUs()
        if let own = plan.ownReceived { promise(own, author: author) }
        if configuration.logsSuccess { log.info(queueID, summary(of: plan)) }
        return ScrubDecision(
            verdict: MilterVerdict(edits: plan.edits(of: header)),
            rules: plan.deciding.map { configuration.policy.rules.rules[$0] }, witness: witness)
    }

    /// Looks whether the field that another session has put in the place of the MTA's own is there.
    ///
    /// If it is not, Postfix has kept its own and thrown ours away: the message would give its sender away.
    func secondLook(_ promised: [UInt8]) -> ScrubDecision {
        let wanted = promised.filter { !$0.isFoldingSpace }
        let isThere = header.indices(named: .received).contains { position in
            header.value(of: position).filter { !$0.isFoldingSpace } == wanted
        }
        let why = "it was shown again to see that the MTA's own Received field is gone"
        guard !isThere else {
            return ScrubDecision(verdict: .continue, reason: why, omission: why)
        }
        let fault = "this MTA has kept its own Received field; set ReplaceOwnReceived no"
        log.error(queueID, "deferred: \(fault)")
        var decision = ScrubDecision.refusal(
            451, "4.3.5", "Server configuration problem", reason: fault)
        decision.omission = why
        return decision
    }

    /// Says which fields stay, each name once for a signature; how many lines there are is not for the message to decide.
    private func logSpared(_ plan: ScrubPlan) {
        var said: Set<String> = []
        for field in plan.spared where said.count < Self.sparedLines {
            let name = LogText.safe(header.name(of: field.position), limit: 80)
            let line = "\(name) stays: covered by the \(LogText.safe(field.signature)) signature"
            if said.insert(line).inserted { log.notice(queueID, line) }
        }
    }

    /// The most lines about fields that stay.
    private static let sparedLines = 20

    private func promise(_ own: [UInt8], author: ObjectIdentifier) {
        guard let queueID else { return }
        if services.witnesses.promise(own, queueID: queueID, author: author) {
            services.warnOfMissingWitness()
        }
    }

    /// A signature of this very moment was made on this host or by the client; if it was here, the order is wrong.
    private func warnOfSignerBeforeUs() {
        guard let position = header.indices(named: .dkimSignature).first,
            let tags = try? TagList(parsing: header.value(of: position)),
            let time = tags.text("t").flatMap(Int64.init), abs(now - time) <= 2,
            services.isFirstSignerBeforeUs()
        else { return }
        let domain = LogText.safe(tags.text("d") ?? "")
        log.warning(
            queueID,
            "\(domain) signed this message just now; if this host did, name signet-scrub before "
                + "the signer in the list of milters")
    }

    private func summary(of plan: ScrubPlan) -> String {
        let removed = plan.changes.filter { $0.change == .remove }.map {
            LogText.safe(header.name(of: $0.position), limit: 40)
        }
        let rewritten = plan.changes.count - removed.count + (plan.ownReceived == nil ? 0 : 1)
        var text = "scrubbed (\(reason.rawValue)): \(rewritten) rewritten, \(removed.count) removed"
        if !removed.isEmpty { text += ": " + removed.prefix(20).joined(separator: ", ") }
        return text
    }
}

extension ScrubPlan {
    /// The plan as edits, in an order in which none moves the target of another.
    func edits(of header: HeaderSection) -> [MessageEdit] {
        var edits: [MessageEdit] = []
        // Once ours stands above it, the MTA's own Received field is the first of those that count.
        let shift = ownReceived == nil ? 0 : 1
        func occurrence(_ position: Int) -> Int {
            header.occurrence(of: position) + (header.isReceived(position) ? shift : 0)
        }
        func name(_ position: Int) -> String {
            String(decoding: header.name(of: position), as: UTF8.self)
        }
        if let ownReceived {
            edits.append(.insertHeader(index: 0, name: "Received", value: ownReceived))
        }
        for case (let position, .rewrite(let value)) in changes {
            edits.append(
                .changeHeader(
                    name: name(position), occurrence: occurrence(position), value: value))
        }
        // Occurrences count anew after each removal, so they go from the bottom up.
        for case (let position, .remove) in changes.reversed() {
            edits.append(
                .deleteHeader(name: name(position), occurrence: occurrence(position)))
        }
        if ownReceived != nil { edits.append(.deleteHeader(name: "Received", occurrence: 1)) }
        return edits
    }
}
