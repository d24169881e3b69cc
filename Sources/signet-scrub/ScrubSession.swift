import DaemonKit
import FlightRecord
import HeaderScrub
import MailAuth
import MailSyntax
import Milter
import Observation
import Traffic

/// One connection of the MTA, with any number of messages.
///
/// Whose mail it is is known at MAIL; the header section of anybody else's is not even kept. The configuration is the one that
/// held when the connection began.
final class ScrubSession: MilterSession {
    private let services: ScrubServices
    private let counted: Observer.Session?
    private let configuration: ScrubConfiguration
    private var client = Client()
    /// Why the message under way is ours; nil for mail that passes as it is.
    private var reason: TrafficPolicy.Reason?
    /// The topmost Received field of a message that passes as it is and comes from this host: it may be a user's all the same.
    private var topmostReceived: [UInt8] = []
    /// The reverse-path, where a record is kept.
    private var sender: [UInt8]?
    /// The recipients, where a record is kept.
    private var recipients = MailFacts.Recipients()
    private var abortions = Observer.Abortions()
    /// HELO, where a record is kept.
    private var helo: [UInt8] = []
    /// Whether the last message was one of ours, and came without a header section.
    private(set) var lacksHeader = false
    /// The macros that the configuration asks for, where a record is kept.
    private var conditions: [String: String] = [:]
    /// The fields of a message of ours.
    private var header = HeaderSection(limits: ScrubSession.limits)

    /// The longest header section that is scrubbed.
    ///
    /// A longer one is refused, as it could only be scrubbed in part.
    static let limits = HeaderSection.Limits(fields: 20_000, bytes: 4 << 20)

    /// Begins a connection.
    init(services: ScrubServices, configuration: ScrubConfiguration) {
        self.services = services
        counted = services.observer.session()
        self.configuration = configuration
    }

    func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
        self.client.hostName = client.hostName
        self.client.address = client.address
        self.client.daemonName = macros["{daemon_name}"]
        return .continue
    }

    func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
        helo = name.copied()
        return .continue
    }

    func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        if services.observer.isRecording { recipients.add(forwardPath) }
        return .continue
    }

    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        forget()
        client.authenticationType = macros["{auth_type}"]
        if services.observer.isRecording { sender = reversePath.copied() }
        var values: [String: String] = [:]
        for condition in configuration.traffic.macrosOfOurs {
            values[condition.name] = macros[condition.name]
        }
        if services.observer.isRecording { conditions = values }
        if case .ours(let reason) = configuration.traffic.decide(client, macro: { values[$0] }) {
            self.reason = reason
        }
        return .continue
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        // At the limit the section stops growing and says so at the end.
        if reason != nil {
            header.append(name: name, value: value)
        } else if topmostReceived.isEmpty, client.address?.isLoopback == true,
            name.copied().equalsIgnoringASCIICase("Received".utf8)
        {
            topmostReceived = Array(value.copied().prefix(Self.traceLimit))
        }
        return .continue
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        defer { forget() }
        let trace = services.observer.trace()
        let now = services.now
        let decision = decide(macros, now)
        decision.tell(trace)
        let verdict = decision.verdict
        let conditions = conditions
        let (client, helo, sender, recipients, header) = (client, helo, sender, recipients, header)
        let ours = reason
        trace?.say { said in
            said.outcome = ours != nil && !verdict.edits.isEmpty ? .scrubbed : .ignored
            said.reason =
                decision.reason ?? ours.map { "the client is one of ours (\($0.rawValue))" }
                ?? "\(client.description) is not internal and has not logged in"
        }
        services.observer.ended(verdict, trace, configuration.observation) {
            MailFacts(
                client: client, helo: helo, sender: sender, recipients: recipients, header: header,
                omission: decision.omission, received: now, conditions: conditions,
                attributes: decision.attributes,
                abridging: { header in
                    WithheldHeader.fields(of: header).map {
                        AbridgedHeader.Field(name: $0.name, value: $0.value)
                    }
                }, macros)
        }
        return verdict
    }

    /// Judges a message that is complete.
    private func decide(_ macros: borrowing MilterMacros, _ now: Int64) -> ScrubDecision {
        let queueID = macros["i"]
        guard let reason else {
            explainUnchanged(queueID)
            return ScrubDecision(verdict: .continue)
        }
        let outcome = ScrubOutcome(
            header: header, queueID: queueID, client: client, reason: reason,
            configuration: configuration, services: services, now: now)
        lacksHeader = header.isEmpty
        let identity = ObjectIdentifier(self)
        if let queueID,
            let promised = services.witnesses.promised(queueID: queueID, witness: identity)
        {
            return outcome.secondLook(promised)
        }
        return outcome.decision(mtaName: macros["j"], author: identity)
    }

    func abort(_ macros: borrowing MilterMacros) {
        let (client, helo, sender, recipients, header) = (client, helo, sender, recipients, header)
        services.observer.aborted(recipients, &abortions, configuration.observation) { omission in
            MailFacts(
                client: client, helo: helo, sender: sender, recipients: recipients,
                header: header, omission: omission, macros)
        }
        forget()
    }

    func close() {
        if services.witnesses.forget(ObjectIdentifier(self)) { services.warnOfMissingWitness() }
    }

    /// Says why a message passes as it is; once, if it is a user's who has logged in elsewhere on this host.
    private func explainUnchanged(_ queueID: String?) {
        if Self.isRelayedSubmission(topmostReceived), services.isFirstRelayedSubmission() {
            services.log.warning(
                queueID,
                "unchanged, although the message is a user's: \(client.description) passes it on without "
                    + "the login; name that client in InternalHosts or its listener in MTA, as in "
                    + "/usr/share/doc/signet-scrub/examples/dovecot-localhost and dovecot-untrusted"
            )
        } else {
            services.log.debug(
                queueID,
                "unchanged: \(client.description) is not internal and has not logged in")
        }
    }

    /// Whether a Received field tells that a user has logged in (RFC 3848: ESMTPA, ESMTPSA) to another program than Postfix, such as
    /// Dovecot's submission service.
    static func isRelayedSubmission(_ received: [UInt8]) -> Bool {
        let words = String(decoding: received, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard !words.contains("(Postfix)"), let with = words.firstIndex(of: "with"),
            with + 1 < words.count
        else { return false }
        return ["ESMTPA", "ESMTPSA"].contains(words[with + 1].uppercased())
    }

    private static let traceLimit = 1000

    /// Makes ready for another message.
    private func forget() {
        reason = nil
        topmostReceived = []
        sender = nil
        recipients = MailFacts.Recipients()
        conditions = [:]
        if !header.isEmpty { header = HeaderSection(limits: Self.limits) }
    }
}
