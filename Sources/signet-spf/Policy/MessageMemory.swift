import MailAuth
import MailDNS
import MailSyntax
import PolicyProtocol

/// What is remembered of one message between the questions about its recipients.
///
/// A check is made once for a message, and a header field is given once, while a refusal is repeated for
/// each recipient. The configuration is the one that held at the first question.
final class MessageMemory {
    /// What makes a message: Postfix's instance, and the facts that results rest on.
    ///
    /// The instance alone would do for Postfix; a client that uses one again for other facts gains nothing.
    struct Key: Hashable, Sendable {
        /// Postfix's instance.
        let instance: [UInt8]
        let client: IPAddress
        let helo: [UInt8]
        let sender: [UInt8]

        /// Makes the key of a question.
        init(_ request: PolicyRequest, client: IPAddress) {
            instance = request[.instance]
            self.client = client
            helo = request[.helo]
            sender = request[.sender]
        }
    }

    /// The message.
    let key: Key
    /// What held when the message came up.
    let configuration: SPFConfiguration
    /// How many of the configured header fields have been given.
    var fieldsGiven = 0
    /// Whether an exemption was looked for, by whose policy, and what it is.
    var exemption: (policy: Int, reason: Exemptions.Reason?)?
    /// The answer to all further questions about the message, once nothing can change it any more.
    private(set) var settled: PolicyAction?
    private var findings: [(identity: SPFIdentity, voidLimit: Int, finding: Finding)] = []

    /// What was asked of the DNS about the message, where a record is kept.
    private var questions: [RecordingResolver.Entry] = []

    /// The most questions that are kept.
    private static let mostQuestions = 60
    /// The most findings that are kept: recipients may differ in their limits.
    private static let mostFindings = 8

    /// Begins to remember.
    init(key: Key, configuration: SPFConfiguration) {
        self.key = key
        self.configuration = configuration
    }

    /// Keeps what was asked, and gives all that was asked about the message.
    func remember(_ asked: [RecordingResolver.Entry]) -> [RecordingResolver.Entry] {
        questions += asked.prefix(Self.mostQuestions - questions.count)
        return questions
    }

    /// What a check of this identity under this limit has found.
    func finding(_ identity: SPFIdentity, voidLimit: Int) -> Finding? {
        findings.first { $0.identity == identity && $0.voidLimit == voidLimit }?.finding
    }

    /// Keeps what a check has found.
    func keep(_ finding: Finding, voidLimit: Int) {
        if findings.count == Self.mostFindings { findings.removeFirst() }
        findings.append((finding.identity, voidLimit, finding))
    }
}

extension MessageMemory {
    /// Keeps an answer for all further questions, if none of them could have another, in place of what it
    /// rests on.
    ///
    /// Recipients may differ where they have settings of their own; a header field may be still to come.
    func settle(_ action: PolicyAction) {
        guard configuration.users == nil else { return }
        switch action {
        case .reject, .defer, .restriction: settled = action
        case .prepend, .dunno:
            guard fieldsGiven >= max(configuration.fields.count, 1) else { return }
            settled = .dunno
        }
        findings = []
    }
}

/// The messages of one connection that are remembered.
///
/// An smtpd process keeps its connection and handles one message at a time, so that the last one would
/// do; a few more are kept for programs that sit between. Memory is bounded, and goes with the connection.
struct ConnectionMemory {
    /// How many messages are remembered.
    static let mostMessages = 4

    private var messages: [MessageMemory] = []

    /// The message of a question, from memory, or new and remembered; questions without an instance stand alone.
    mutating func message(
        for key: MessageMemory.Key, configuration: SPFConfiguration
    ) -> MessageMemory {
        guard !key.instance.isEmpty else {
            return MessageMemory(key: key, configuration: configuration)
        }
        let index = messages.firstIndex { $0.key.instance == key.instance }
        if let index, messages[index].key == key { return messages[index] }
        let message = MessageMemory(key: key, configuration: configuration)
        if let index {
            messages[index] = message
        } else {
            if messages.count == Self.mostMessages { messages.removeFirst() }
            messages.append(message)
        }
        return message
    }
}
