import DaemonKit
import Milter

/// The filter that libmilter serves: what it needs of the MTA, and a session for each connection.
struct DKIMFilter: MilterFilter {
    /// What all sessions share.
    let services: Services

    /// The events and edits that the configuration calls for; nothing is answered before end of message.
    var needs: MilterNeeds {
        let configuration = services.configuration.current
        var events: MilterEvents = [.connect, .mail, .header, .endOfHeader, .body]
        if configuration.dontSignMailTo != nil { events.insert(.recipient) }
        let conditions = configuration.traffic.macrosOfOurs + configuration.traffic.macrosOfOthers
        var macros: [MilterStage: [String]] = [:]
        if !conditions.isEmpty {
            // The list replaces the MTA's own for this stage, so it names what we always want there too.
            macros[.mail] = ["i", "auth_type", "auth_authen"] + conditions.map(\.name)
        }
        return MilterNeeds(
            events: events, edits: [.addHeaders, .changeHeaders], optionalEdits: [.quarantine],
            macros: macros)
    }

    /// Makes the session of a connection, with the configuration that holds now.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> DKIMSession {
        DKIMSession(services: services, protocol: negotiated)
    }
}
