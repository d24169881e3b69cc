import DaemonKit
import MailAuth
import MailSyntax

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
        /// Verifying.
        case verify
        /// Refusing a header that RFC 5322 forbids; the words for the reply.
        case refuse(String)
        /// The header section is longer than MaximumHeaders.
        case oversized
        /// A key is meant for the sender and cannot be used; the words for the log.
        case cannotSign(String)
    }

    /// What is to be done.
    var work: Work
    /// Why the message is not signed, for the line that always says so; nil when it is, or when nothing could be.
    var notSigned: String?
    /// A stranger used one of our domains; the words for the log.
    var impersonation: String?
    /// Each step of the decision, for LogWhy.
    var steps: [String] = []

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
        guard facts.header.limitExceeded == nil else {
            work = .oversized
            return
        }
        let client = facts.client
        let origin = configuration.traffic.decide(client) { facts.macros[$0] }
        guard origin != .peer else {
            notSigned = "\(client.description) is in PeerList"
            return
        }
        if configuration.requiresHeaders, let fault = RequiredFields.fault(in: facts.header) {
            if configuration.ignoresMalformedMail {
                steps.append("malformed: \(fault)")
                return
            }
            work = .refuse(fault)
            return
        }
        let sender = Sender(in: facts.header, fields: configuration.senderFields)
        if case .mailbox(let mailbox) = sender, configuration.exemptDomains.contains(mailbox.domain)
        {
            notSigned = "\(mailbox.domain) is in ExemptDomains"
            return
        }
        if configuration.mode.contains(.verify) { work = .verify }
        if configuration.mode.contains(.sign), !configuration.keys.isEmpty {
            decideToSign(facts, sender, origin, configuration)
        }
    }

    /// Changes the work to signing where the sender is ours and a key fits.
    private mutating func decideToSign(
        _ facts: Facts, _ sender: Sender, _ origin: TrafficPolicy.Decision,
        _ configuration: DKIMConfiguration
    ) {
        switch origin {
        case .peer: return
        case .foreign(let reason):
            let client = facts.client.description
            notSigned =
                switch reason {
                case .notInternal: "\(client) not internal, not authenticated"
                case .macro: "MacroListVerify marks it as mail from outside"
                }
            if case .mailbox(let mailbox) = sender, configuration.keys.servesDomain(of: mailbox),
                !configuration.externalIgnoreList.contains(
                    hostName: facts.client.hostName, address: facts.client.address)
            {
                impersonation = "external host \(client) attempted to send as \(mailbox.domain)"
            }
            return
        case .ours(let reason): steps.append("ours: \(reason.rawValue)")
        }
        let mailbox: Mailbox
        switch sender {
        case .none(let reason):
            notSigned = reason
            return
        case .mailbox(let found): mailbox = found
        }
        steps.append("sender \(mailbox.address)")
        if let recipient = facts.unsignedRecipient {
            notSigned = "\(recipient) is in DontSignMailTo"
            return
        }
        switch configuration.keys.keys(for: mailbox) {
        case .keys(let keys): work = .sign(keys)
        case .none(let reason): notSigned = reason
        case .unusable(let reason): work = .cannotSign(reason)
        }
    }
}
