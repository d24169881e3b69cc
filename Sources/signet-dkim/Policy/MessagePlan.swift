import Configuration
import MailAuth
import MailSyntax
import MilterDaemon
import Traffic

/// What is to be done with one message, decided when its header section has ended.
///
/// Pure: the same facts give the same plan, so each rule is tested without an MTA.
struct MessagePlan: Sendable {
    /// What is to be done.
    enum Work: Sendable {
        /// Nothing at all: the message is not ours to look at.
        case nothing
        /// Signing with these keys.
        case sign([SigningKey])
        /// Verifying a message with this From field.
        case verify(AuthorField)
        /// Refusing a header that RFC 5322 forbids; the words for the reply.
        case refuse(String)
        /// The header section is longer than MaximumHeaders.
        case oversized
        /// A key is meant for the sender and cannot be used; the words for the log.
        case cannotSign(String)
    }

    /// What is to be done.
    var work: Work
    /// Whether results that claim to be ours go although there is nothing to do: where results are issued, what a stranger says
    /// about himself "MUST" be removed (RFC 8601, section 5), whatever else is skipped.
    var removesForgeries = false
    /// Why the message is not signed, for the line that says so; nil when it is, when what is done says it, and for mail from
    /// outside where nothing is ever signed.
    var notSigned: String?
    /// Whether the message comes from outside, so that nobody expects a signature.
    private(set) var isFromOutside = false
    /// Why it is not signed in a word, for counters.
    private(set) var unsigned: Unsigned?
    /// Whom the message is signed for; nil where there is no such address, or none was looked for.
    private(set) var mailbox: Mailbox?
    /// A stranger used one of our domains; the words for the log.
    var impersonation: String?
    /// What the log should say of the keys that sign.
    private(set) var keyWarnings: [String] = []
    /// Each step of the decision, for LogWhy.
    var steps: [String] = []

    /// Why a message of ours is not signed, in a word.
    enum Unsigned: String, Sendable {
        case peer
        case malformed
        case exempt
        case mode
        case sender
        case recipient
        case key
    }

    /// What is known when the header section has ended.
    struct Facts: Sendable {
        /// Who sends.
        var client = Client()
        /// Values of the macros that MacroList and MacroListVerify name.
        var macros: [String: String] = [:]
        /// A recipient to whom nothing is signed, if there is one.
        var unsignedRecipient: String?
        /// The header section.
        var header = HeaderSection()
    }

    /// Decides.
    init(_ facts: Facts, _ configuration: DKIMConfiguration) {
        work = .nothing
        let client = facts.client
        let origin = configuration.traffic.decide(client) { facts.macros[$0] }
        if configuration.logsWhy { steps = origin.steps(for: client) }
        removesForgeries = configuration.mode.contains(.verify)
        guard origin != .peer else {
            // A content filter on this host gives mail back with the results that were added here.
            if client.address?.isLoopback ?? false { removesForgeries = false }
            leaveUnsigned(.peer, "\(client.description) is in PeerList")
            return
        }
        guard facts.header.limitExceeded == nil else {
            work = .oversized
            return
        }
        if configuration.requiresHeaders, let fault = RequiredFields.fault(in: facts.header) {
            if configuration.ignoresMalformedMail {
                leaveUnsigned(.malformed, "malformed: \(fault)")
            } else {
                work = .refuse(fault)
            }
            return
        }
        let author = AuthorField(of: facts.header)
        let sender = Sender(
            in: facts.header, fields: configuration.senderFields, author: author)
        if case .mailbox(let mailbox) = sender {
            if configuration.logsWhy { steps.append("the sender is \(mailbox.address)") }
            guard !configuration.exemptDomains.contains(mailbox.domain) else {
                leaveUnsigned(.exempt, "\(mailbox.domain) is in ExemptDomains")
                return
            }
        }
        if configuration.mode.contains(.verify) { work = .verify(author) }
        switch origin {
        case .peer: return
        case .foreign(let reason): notice(reason, facts.client, sender, configuration)
        case .ours: decideToSign(facts, sender, configuration)
        }
    }

    private mutating func leaveUnsigned(_ kind: Unsigned, _ words: String) {
        (unsigned, notSigned) = (kind, words)
    }

    /// Notes that a message from outside is not signed, where anything is, and whether it uses a name of ours.
    private mutating func notice(
        _ reason: TrafficPolicy.ForeignReason, _ client: Client, _ sender: Sender,
        _ configuration: DKIMConfiguration
    ) {
        isFromOutside = true
        guard !configuration.keys.isEmpty else { return }
        notSigned =
            switch reason {
            case .notInternal: "\(client.description) not internal, not authenticated"
            case .macro: "MacroListVerify marks it as mail from outside"
            }
        if case .mailbox(let mailbox) = sender, configuration.keys.servesDomain(of: mailbox),
            !configuration.externalIgnoreList.contains(
                hostName: client.hostName, address: client.address)
        {
            impersonation =
                "external host \(client.description) attempted to send as \(mailbox.domain)"
        }
    }

    /// Changes the work to signing where a key fits the sender of a message of ours.
    private mutating func decideToSign(
        _ facts: Facts, _ sender: Sender, _ configuration: DKIMConfiguration
    ) {
        guard configuration.mode.contains(.sign) else {
            leaveUnsigned(.mode, "Mode is v")
            return
        }
        let mailbox: Mailbox
        switch sender {
        case .none(let reason):
            leaveUnsigned(.sender, reason)
            return
        case .mailbox(let found): mailbox = found
        }
        self.mailbox = mailbox
        if let recipient = facts.unsignedRecipient {
            leaveUnsigned(.recipient, "\(recipient) is in DontSignMailTo")
            return
        }
        switch configuration.keys.keys(for: mailbox) {
        case .keys(let keys, let warnings):
            work = .sign(keys)
            keyWarnings = warnings
        case .none(let reason): leaveUnsigned(.key, reason)
        case .unusable(let reason): work = .cannotSign(reason)
        }
    }
}
