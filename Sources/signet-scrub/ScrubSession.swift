import HeaderScrub
import MailSyntax
import Milter
import Traffic

/// One connection of the MTA, with any number of messages.
///
/// Whose mail it is is known at MAIL; the header section of anybody else's is not even kept. The configuration is the one that
/// held when the connection began.
final class ScrubSession: MilterSession {
    private let services: ScrubServices
    private let configuration: ScrubConfiguration
    private var client = Client()
    /// Why the message under way is ours; nil for mail that passes as it is.
    private var reason: TrafficPolicy.Reason?
    /// The fields of a message of ours.
    private var header = HeaderSection(limits: ScrubSession.limits)

    /// The longest header section that is scrubbed.
    ///
    /// A longer one is refused, as it could only be scrubbed in part.
    static let limits = HeaderSection.Limits(fields: 20_000, bytes: 4 << 20)

    /// Begins a connection.
    init(services: ScrubServices, configuration: ScrubConfiguration) {
        self.services = services
        self.configuration = configuration
    }

    func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
        self.client.hostName = client.hostName
        self.client.address = client.address
        self.client.daemonName = macros["{daemon_name}"]
        return .continue
    }

    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        forget()
        client.authenticationType = macros["{auth_type}"]
        var values: [String: String] = [:]
        for condition in configuration.traffic.macrosOfOurs {
            values[condition.name] = macros[condition.name]
        }
        if case .ours(let reason) = configuration.traffic.decide(client, macro: { values[$0] }) {
            self.reason = reason
        }
        return .continue
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        // At the limit the section stops growing and says so at the end.
        if reason != nil { header.append(name: name, value: value) }
        return .continue
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        defer { forget() }
        guard let reason else { return .continue }
        let queueID = macros["i"]
        let outcome = ScrubOutcome(
            header: header, queueID: queueID, client: client, reason: reason,
            configuration: configuration, services: services)
        let identity = ObjectIdentifier(self)
        if let queueID,
            let promised = services.witnesses.promised(queueID: queueID, witness: identity)
        {
            return outcome.secondLook(promised)
        }
        return outcome.verdict(mtaName: macros["j"], author: identity)
    }

    func abort() {
        forget()
    }

    func close() {
        if services.witnesses.forget(ObjectIdentifier(self)) { services.warnOfMissingWitness() }
    }

    /// Makes ready for another message.
    private func forget() {
        reason = nil
        if !header.isEmpty { header = HeaderSection(limits: Self.limits) }
    }
}
