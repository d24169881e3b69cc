internal import MailAuth
internal import MailSyntax
package import Milter
package import Replay

/// Hands a message of a record to a daemon's own session once more, as the MTA did.
///
/// The body is not there: a `MailAuth/MessageWitness` speaks in its place.
package enum MilterReplay {
    /// What was agreed with the MTA.
    package static func negotiated(_ facts: RecordedFacts) -> NegotiatedProtocol {
        NegotiatedProtocol(
            hasLeadingSpace: facts.hasLeadingSpace, edits: MilterEdits(rawValue: facts.edits))
    }

    /// Passes a message through a session.
    package static func pass(_ facts: RecordedFacts, through session: some MilterSession) {
        let address = facts.address.flatMap { IPAddress($0) }
        let family: MilterClient.Family =
            switch address {
            case .v4: .ipv4
            case .v6: .ipv6
            case nil: .unknown
            }
        let client = MilterClient(
            hostName: facts.hostName, family: family, address: address, port: 0)
        _ = session.connect(client, MilterMacros(facts.macros))
        _ = session.helo(facts.helo.span, MilterMacros(facts.macros))
        if let sender = facts.sender {
            _ = session.mail(sender.span, parameters: [], MilterMacros(facts.macros))
        }
        for recipient in facts.recipients {
            _ = session.recipient(recipient.span, parameters: [], MilterMacros(facts.macros))
        }
        for field in facts.fields {
            _ = session.header(name: field.name.span, value: field.value.span)
        }
        _ = session.endOfHeader(MilterMacros(facts.macros))
        _ = session.endOfMessage(MilterMacros(facts.macros))
        session.close()
    }
}
