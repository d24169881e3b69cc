import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import PolicyProtocol
import Threads

/// One question about one message: from the recipient's policy over exemptions and checks to the action.
struct Consultation {
    /// What is remembered of the message.
    private let message: MessageMemory
    /// The answer so far.
    private(set) var answer: PolicyAnswer

    private let request: PolicyRequest
    private let stage: PolicyRequest.Stage
    private let client: IPAddress
    private let resolver: any DNSResolver
    private let shares: QuestionShares
    private let records: SPFRecordCache
    private let recorder: RecordingResolver?
    private let time: TimeSource
    /// The policy that holds, and a number that stands for it.
    private let shared: SharedPolicy
    private let owner: Int

    private var configuration: SPFConfiguration { message.configuration }

    /// Prepares to answer a question.
    ///
    /// - Parameters:
    ///   - request: the question.
    ///   - stage: its stage.
    ///   - client: the address that is checked.
    ///   - message: what is remembered of the message.
    ///   - answer: the answer so far.
    ///   - resolver: answers the questions to the DNS.
    ///   - shares: what clients and senders have under way.
    ///   - records: remembers records that have been parsed.
    ///   - recorder: remembers what is asked of the DNS.
    ///   - time: the clocks.
    init(
        _ request: PolicyRequest, _ stage: PolicyRequest.Stage, _ client: IPAddress,
        _ message: MessageMemory, _ answer: PolicyAnswer, resolver: any DNSResolver,
        shares: QuestionShares, records: SPFRecordCache, recorder: RecordingResolver?,
        time: TimeSource
    ) {
        self.recorder = recorder
        self.time = time
        self.request = request
        self.stage = stage
        self.client = client
        self.message = message
        self.answer = answer
        self.resolver = resolver
        self.shares = shares
        self.records = records
        let users = message.configuration.users
        let position = users?.position(of: request[.recipient])
        owner = position ?? -1
        shared =
            position.flatMap { users?.policies[$0] } ?? message.configuration.shared
    }

    /// Answers the question.
    mutating func run() {
        defer {
            message.settle(answer.action)
            if let recorder { answer.questions = message.remember(recorder.entries) }
        }
        logOwner()
        if let reason = exemption() {
            answer.exemption = reason
            tell(reason)
        } else if request[.helo].isEmpty, request[.sender].isEmpty {
            answer.log(2, "there is neither a HELO name nor a sender: not checked")
            tellNothing("there is nothing to check")
        } else {
            apply(verdict())
        }
    }

    private mutating func logOwner() {
        guard configuration.users != nil else { return }
        let recipient = request[.recipient]
        if owner >= 0 {
            answer.log(
                2, "the settings of \(PrintableText.visible(recipient, limit: 200)) are used")
        } else if recipient.isEmpty, stage == .recipient || stage == .data {
            // policyd-spf.peruser(5): "warnings will be logged and the per-user information will be
            // ignored".
            answer.log(1, "Per_User has no effect: there is no single recipient")
        }
    }

    // MARK: Exemptions

    private mutating func exemption() -> Exemptions.Reason? {
        if configuration.ignoresAuthenticated, configuration.prospective == nil,
            request.isAuthenticated
        {
            answer.log(2, "the client is authenticated: not checked")
            return .authenticated
        }
        if let known = message.exemption, known.policy == owner { return known.reason }
        let name = request[.clientName]
        let isNamed = !name.isEmpty && !name.elementsEqual("unknown".utf8)
        // The name is that of the client at the door, not of the address that is to be tried out.
        let hostName =
            isNamed && configuration.prospective == nil
            ? String(decoding: name, as: UTF8.self) : nil
        let shared = shared
        let reason = shared.policy.exemptions.reason(
            client: client, hostName: hostName, helo: request[.helo],
            resolver: shares.resolver(
                resolver, client: client, domain: nil, recorder: recorder))
        message.exemption = (owner, reason)
        return reason
    }

    private mutating func tell(_ reason: Exemptions.Reason) {
        guard reason != .authenticated, configuration.fields.contains(.receivedSPF),
            message.fieldsGiven == 0
        else { return tellNothing(reason.rawValue) }
        guard stage.takesFields, configuration.prospective == nil else { return }
        let field = TraceField(
            reason: reason, request: request, receiver: configuration.shownReceiver)
        answer.action = .prepend(field: TraceField.name, value: field.value)
        answer.log(1, "prepend \(TraceField.name): \(field.value)")
        message.fieldsGiven += 1
    }

    /// Says in Authentication-Results, where results are told in it, that nothing was checked.
    ///
    /// Without such a field, one of our name that the sender has put into the message would be the topmost, and count.
    private mutating func tellNothing(_ why: String) {
        guard stage.takesFields, configuration.prospective == nil,
            message.fieldsGiven < configuration.fields.count,
            configuration.fields.contains(.authenticationResults)
        else { return }
        let (action, logText) = ResultField.telling(
            nothing: why, request, authservID: configuration.authservID)
        answer.action = action
        answer.log(1, logText)
        message.fieldsGiven = configuration.fields.count
    }

    // MARK: Results

    private mutating func verdict() -> PolicyVerdict {
        let (message, shared) = (message, shared)
        var checks = IdentityChecks(
            request, client, shared.policy, configuration, resolver: resolver, shares: shares,
            records: records, recorder: recorder, time: time, isBeforeMail: stage.isBeforeMail)
        defer { checks.finish() }
        return PolicyVerdict.of(shared.policy, senderIsNull: request[.sender].isEmpty) {
            let finding = checks.finding(.helo, message)
            answer.log(2, finding)
            return finding
        } mailFrom: {
            let finding = checks.finding(.mailFrom, message)
            answer.log(2, finding)
            return finding
        }
    }

    /// Turns a verdict into an action.
    private mutating func apply(_ verdict: PolicyVerdict) {
        let isTest = shared.policy.isTest
        switch verdict {
        case .nothing:
            tellNothing("not checked")
        case .accept(let finding):
            tell(finding)
        case .restriction(let text):
            let action = PolicyAction.restriction(text)
            if !isTest { answer.action = action }
            answer.log(1, "\(isTest ? "would be" : "result_only") \(action.text)")
        case .refuse(let finding, let ruling):
            let action = refusal(finding, ruling)
            if !isTest { answer.action = action }
            answer.log(1, (isTest ? "would be " : "") + action.text)
            if isTest { tell(finding) }
        }
    }

    /// Gives the next header field of the message, if there is one left.
    private mutating func tell(_ finding: Finding) {
        guard stage.takesFields, configuration.prospective == nil else { return }
        let fields = configuration.fields
        if message.fieldsGiven < fields.count {
            let (action, logText) = fields[message.fieldsGiven].telling(
                finding, authservID: configuration.authservID)
            answer.action = action
            answer.log(1, logText)
        } else if message.fieldsGiven == 0 {
            answer.log(
                1, "Header field not prepended: \(ReceivedSPF.name): \(finding.received.logText)")
        } else {
            return
        }
        message.fieldsGiven += 1
    }

    /// The refusal for a result, with the codes of RFC 7372, section 3.2.
    ///
    /// X.7.23 is for a "fail" alone, and X.7.24 for errors. What is refused beyond that is so by a policy of ours: X.7.1 of
    /// RFC 3463.
    private func refusal(_ finding: Finding, _ ruling: Policy.Ruling) -> PolicyAction {
        let policy = shared.policy
        let text = policy.reason.filled(
            finding, ruling: ruling, client: client, receiver: configuration.shownReceiver)
        let code =
            switch finding.result {
            case .temperror, .permerror: "7.24 "
            case .fail: "7.23 "
            case .none, .neutral, .pass, .softfail: "7.1 "
            }
        if ruling == .defer {
            return .defer(policy.givesEnhancedCodes ? "4.\(code)\(text)" : text)
        }
        return .reject(policy.givesEnhancedCodes ? "550 5.\(code)\(text)" : "550 \(text)")
    }
}
