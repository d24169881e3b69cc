import MailAuth
import MailDNS
import MailSyntax

/// Answers questions: attributes, configuration and memory in, an action and lines for the log out.
///
/// It touches nothing but the resolver, and waits for nothing else.
struct PolicyEngine: Sendable {
    /// Answers the questions to the DNS.
    let resolver: any DNSResolver
    /// The level up to which lines are given, whatever debugLevel says.
    var leastLevel = -1

    /// Answers one question.
    ///
    /// - Parameters:
    ///   - request: the question.
    ///   - memory: what is remembered of the connection's messages.
    ///   - current: the configuration that holds for messages that are new.
    /// - Returns: the answer.
    func answer(
        _ request: PolicyRequest, _ memory: inout ConnectionMemory, _ current: SPFConfiguration
    ) -> PolicyAnswer {
        var answer = PolicyAnswer(request, current, atLeast: leastLevel)
        guard !current.isMock, let stage = request.stage, Self.checkedStages.contains(stage) else {
            return answer
        }
        guard let client = client(of: request, current, &answer) else { return answer }
        if current.ignoresAuthenticated, current.prospective == nil, request.isAuthenticated {
            answer.log(2, "the client is authenticated: not checked")
            return answer
        }
        let key = MessageMemory.Key(
            instance: request[.instance], client: client, helo: request[.helo],
            sender: request[.sender])
        var message = memory.message(for: key, configuration: current)
        let (policy, owner) = self.policy(for: request, stage, message, &answer)
        defer { memory.remember(message) }
        if let reason = exemption(request, policy, owner, &message) {
            tellExemption(reason, request, stage, &message, &answer)
            return answer
        }
        if request[.helo].isEmpty, request[.sender].isEmpty {
            answer.log(2, "there is neither a HELO name nor a sender: not checked")
            return answer
        }
        let verdict = verdict(policy, stage, &message, &answer)
        apply(verdict, policy, stage, &message, &answer)
        return answer
    }

    /// The stages at which there is something to check.
    private static let checkedStages: Set<PolicyRequest.Stage> = [
        .helo, .ehlo, .mail, .recipient, .data, .endOfMessage,
    ]

    /// The address that is checked.
    private func client(
        of request: PolicyRequest, _ configuration: SPFConfiguration, _ answer: inout PolicyAnswer
    ) -> IPAddress? {
        if let prospective = configuration.prospective { return prospective }
        let text = request[.clientAddress]
        if let address = IPAddress(bytes: text) { return address.unmapped }
        // Postfix says "unknown" of a client on a unix socket.
        if text.isEmpty || text.elementsEqual("unknown".utf8) {
            answer.log(2, "there is no client address: not checked")
        } else {
            answer.log(
                0, "\"\(PrintableText.of(text, limit: 64))\" is no client address: not checked",
                isError: true)
        }
        return nil
    }

    /// The policy of the recipient, and a number that stands for it.
    private func policy(
        for request: PolicyRequest, _ stage: PolicyRequest.Stage, _ message: MessageMemory,
        _ answer: inout PolicyAnswer
    ) -> (Policy, Int) {
        let configuration = message.configuration
        guard let users = configuration.users else { return (configuration.policy, -1) }
        guard !request[.recipient].isEmpty else {
            // policyd-spf.peruser(5): "warnings will be logged and the per-user information will be
            // ignored".
            if stage == .recipient || stage == .data {
                answer.log(1, "Per_User has no effect: there is no single recipient")
            }
            return (configuration.policy, -1)
        }
        let recipient = String(decoding: request[.recipient], as: UTF8.self)
        guard let position = users.position(of: recipient) else {
            return (configuration.policy, -1)
        }
        answer.log(
            2, "the settings of \(PrintableText.of(request[.recipient], limit: 200)) are used")
        return (users.policies[position], position)
    }

    private func exemption(
        _ request: PolicyRequest, _ policy: Policy, _ owner: Int, _ message: inout MessageMemory
    ) -> Exemptions.Reason? {
        if let known = message.exemption, known.policy == owner { return known.reason }
        let name = request[.clientName]
        let isNamed = !name.isEmpty && !name.elementsEqual("unknown".utf8)
        // The name is that of the client at the door, not of the address that is to be tried out.
        let hostName = message.configuration.prospective == nil && isNamed ? name : nil
        let reason = policy.exemptions.reason(
            client: message.key.client,
            hostName: hostName.map { String(decoding: $0, as: UTF8.self) },
            helo: request[.helo], resolver: resolver)
        message.exemption = (owner, reason)
        return reason
    }

    private func tellExemption(
        _ reason: Exemptions.Reason, _ request: PolicyRequest, _ stage: PolicyRequest.Stage,
        _ message: inout MessageMemory, _ answer: inout PolicyAnswer
    ) {
        let configuration = message.configuration
        guard stage.takesHeaders, configuration.prospective == nil, message.fieldsGiven == 0,
            !configuration.fields.isEmpty
        else { return }
        let trace = TraceField(
            reason: reason, request: request, receiver: configuration.shownReceiver)
        answer.action = trace.action
        message.fieldsGiven = configuration.fields.count
        answer.log(1, "prepend" + trace.action.text.dropFirst("PREPEND".count))
    }

    private func verdict(
        _ policy: Policy, _ stage: PolicyRequest.Stage, _ message: inout MessageMemory,
        _ answer: inout PolicyAnswer
    ) -> Verdict {
        let facts = IdentityChecks.Facts(
            client: message.key.client, helo: message.key.helo, sender: message.key.sender)
        var checks = IdentityChecks(
            facts, policy: policy, configuration: message.configuration, resolver: resolver)
        var state = message
        let isBeforeMail = stage == .helo || stage == .ehlo
        let verdict = Verdict.of(policy, senderIsNull: facts.sender.isEmpty) {
            guard checks.checksHELO else { return nil }
            let finding = checks.finding(.helo, alone: isBeforeMail, &state)
            answer.log(2, finding)
            return finding
        } mailFrom: {
            guard checks.checksMailFrom, !isBeforeMail else { return nil }
            let finding = checks.finding(.mailFrom, &state)
            answer.log(2, finding)
            return finding
        }
        checks.finish()
        message = state
        return verdict
    }

    /// Turns a verdict into an action.
    private func apply(
        _ verdict: Verdict, _ policy: Policy, _ stage: PolicyRequest.Stage,
        _ message: inout MessageMemory, _ answer: inout PolicyAnswer
    ) {
        switch verdict {
        case .nothing:
            break
        case .accept(let finding):
            tell(finding, stage, &message, &answer)
        case .restriction(let name):
            guard !policy.isTest else {
                answer.log(1, "would be \(PrintableText.of(Array(name.utf8), limit: 500))")
                return
            }
            let action = PolicyAction.restriction(name)
            answer.action = action
            answer.log(1, "result_only \(action.text)")
        case .refuse(let finding, let ruling):
            let refusal = Self.refusal(finding, ruling, policy, message)
            guard !policy.isTest else {
                answer.log(1, "would be \(refusal.text)")
                return tell(finding, stage, &message, &answer)
            }
            answer.action = refusal
            answer.log(1, refusal.text)
        }
    }

    /// Gives the next header field of the message, if there is one left.
    private func tell(
        _ finding: Finding, _ stage: PolicyRequest.Stage, _ message: inout MessageMemory,
        _ answer: inout PolicyAnswer
    ) {
        let configuration = message.configuration
        guard configuration.prospective == nil, stage.takesHeaders else { return }
        if configuration.fields.isEmpty {
            // As for a header field: once for a message.
            if message.fieldsGiven == 0 {
                answer.log(
                    1,
                    "Header field not prepended: \(ReceivedSPF.name): \(finding.received.logText)")
            }
            message.fieldsGiven = 1
            return
        }
        guard message.fieldsGiven < configuration.fields.count else { return }
        let field = configuration.fields[message.fieldsGiven]
        message.fieldsGiven += 1
        let action = field.action(for: finding, authservID: configuration.authservID)
        answer.action = action
        answer.log(1, "prepend \(field.logText(for: finding, action))")
    }

    /// The refusal for a result, with the codes of RFC 7372, section 3.2.
    private static func refusal(
        _ finding: Finding, _ ruling: Policy.Ruling, _ policy: Policy, _ message: MessageMemory
    ) -> PolicyAction {
        let text = policy.reason.filled(
            finding, ruling: ruling, client: message.key.client,
            receiver: message.configuration.shownReceiver)
        if ruling == .defer {
            return .defer(policy.givesEnhancedCodes ? "4.7.24 \(text)" : text)
        }
        let isError = finding.result == .permerror
        let code = policy.givesEnhancedCodes ? (isError ? " 5.7.24" : " 5.7.23") : ""
        return .reject("550\(code) \(text)")
    }
}

extension PolicyRequest.Stage {
    /// Whether Postfix has a message to which it could add a field (access(5), PREPEND).
    fileprivate var takesHeaders: Bool { self == .mail || self == .recipient || self == .data }
}
