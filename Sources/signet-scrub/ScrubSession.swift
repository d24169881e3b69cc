import DaemonKit
import HeaderScrub
import MailSyntax
import Milter

/// One connection of the MTA, with any number of messages.
///
/// Whose mail it is is known at MAIL; the header section of anybody else's is not even kept. The configuration is the one that
/// held when the connection began.
final class ScrubSession: MilterSession {
    private let services: Services
    private let configuration: ScrubConfiguration
    private var client = Client()
    private var message = Message.foreign

    /// The longest header section that is scrubbed.
    ///
    /// A longer one is refused, as it could only be scrubbed in part.
    static let limits = HeaderSection.Limits(fields: 20_000, bytes: 4 << 20)

    /// The message under way.
    private enum Message {
        /// It passes as it is.
        case foreign
        /// It is ours, for this reason.
        case ours(HeaderSection, TrafficPolicy.Reason)
    }

    /// Begins a connection.
    init(services: Services) {
        self.services = services
        configuration = services.configuration.current
    }

    func connect(_ peer: MilterPeer, _ macros: borrowing MilterMacros) -> MilterReply {
        client.hostName = peer.hostName
        client.address = peer.address
        client.daemonName = macros["{daemon_name}"]
        return .continue
    }

    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        client.authenticationType = macros["{auth_type}"]
        var values: [String: String] = [:]
        for condition in configuration.traffic.macrosOfOurs {
            values[condition.name] = macros[condition.name]
        }
        if case .ours(let reason) = configuration.traffic.decide(client, macro: { values[$0] }) {
            message = .ours(HeaderSection(limits: Self.limits), reason)
        } else {
            message = .foreign
        }
        return .continue
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        // Taken out and put back, so that the section is changed in place and not copied.
        guard case .ours(var header, let reason) = message else { return .continue }
        message = .foreign
        header.append(name: name, value: value)
        message = .ours(header, reason)
        return .continue
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        guard case .ours(let header, let reason) = message else { return .continue }
        message = .foreign
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
        message = .foreign
    }
}
