import DaemonKit
import Milter

/// The filter that libmilter serves: what it needs of the MTA, and a session for each connection.
struct ScrubFilter: MilterFilter {
    /// What all sessions share.
    let services: Services

    /// No body, and no answer before end of message.
    var needs: MilterNeeds {
        let conditions = services.configuration.current.traffic.macrosOfOurs
        var macros: [MilterStage: [String]] = [:]
        if !conditions.isEmpty {
            // The list replaces the MTA's own for this stage, so it names what we always want there too.
            macros[.mail] = ["i", "auth_type"] + conditions.map(\.name)
        }
        return MilterNeeds(
            events: [.connect, .mail, .header], edits: [.addHeaders, .changeHeaders],
            macros: macros)
    }

    /// Makes the session of a connection, with the configuration that holds now.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> ScrubSession {
        ScrubSession(services: services)
    }
}
