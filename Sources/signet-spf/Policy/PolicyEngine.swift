import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import PolicyProtocol
import Threads

/// Answers questions: attributes, configuration and memory in, an action and lines for the log out.
///
/// It touches nothing but the resolver, and waits for nothing else.
struct PolicyEngine: Sendable {
    /// Answers the questions to the DNS.
    private let resolver: any DNSResolver
    /// What clients and senders have under way.
    private let shares = QuestionShares()
    /// Remembers records that have been parsed.
    private let records = SPFRecordCache()
    /// The level up to which lines are given, whatever debugLevel says.
    private let leastLevel: Int
    private let time: TimeSource

    /// Prepares to answer.
    init(resolver: any DNSResolver, leastLevel: Int = -1, time: TimeSource = .system) {
        self.time = time
        self.resolver = resolver
        self.leastLevel = leastLevel
    }

    /// Answers one question.
    ///
    /// - Parameters:
    ///   - request: the question.
    ///   - memory: what is remembered of the connection's messages.
    ///   - current: the configuration that holds for messages that are new.
    ///   - recorder: remembers what is asked of the DNS.
    /// - Returns: the answer.
    func answer(
        _ request: PolicyRequest, _ memory: inout ConnectionMemory, _ current: SPFConfiguration,
        recorder: RecordingResolver? = nil
    ) -> PolicyAnswer {
        var answer = PolicyAnswer(request, current, atLeast: leastLevel)
        guard !current.isMock, let stage = request.stage, stage.canBeChecked,
            let client = client(of: request, current, &answer)
        else { return answer }
        let message = memory.message(
            for: MessageMemory.Key(request, client: client), configuration: current)
        if let settled = message.settled {
            answer.action = settled
            answer.isRepeated = true
            answer.log(2, "as for the message's first recipient: \(settled.text)")
            return answer
        }
        var consultation = Consultation(
            request, stage, client, message, answer, resolver: resolver, shares: shares,
            records: records, recorder: recorder, time: time)
        consultation.run()
        return consultation.answer
    }

    /// The address that is checked; nil, with a line in the log, where there is none.
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
}

extension PolicyRequest.Stage {
    /// Whether there is anything to check yet.
    fileprivate var canBeChecked: Bool {
        switch self {
        case .helo, .ehlo, .mail, .recipient, .data, .endOfMessage: true
        case .connect, .verify, .etrn: false
        }
    }

    /// Whether there is only a HELO name yet.
    var isBeforeMail: Bool { self == .helo || self == .ehlo }

    /// Whether Postfix has a message to which it could add a field (access(5), PREPEND).
    var takesFields: Bool { self == .mail || self == .recipient || self == .data }
}
