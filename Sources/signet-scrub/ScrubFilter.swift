import DaemonKit
import Milter
import Observation
import Traffic

/// The filter that serves one connection, with the configuration that holds when it begins: what it needs of the MTA, and its
/// session.
struct ScrubFilter: MilterFilter {
    private let services: ScrubServices
    private let configuration: ScrubConfiguration

    /// Takes the configuration that holds now.
    init(services: ScrubServices) {
        self.services = services
        configuration = services.configuration.current
    }

    /// No body, and no answer before end of message.
    var needs: MilterNeeds {
        let conditions = configuration.traffic.macrosOfOurs
        var macros: [MilterStage: [String]] = [:]
        if !conditions.isEmpty {
            // The list replaces the MTA's own for this stage, so it names what we always want there too.
            macros[.mail] = ["i", "auth_type", "auth_authen"] + conditions.map(\.name)
        }
        var events: MilterEvents = [.connect, .mail, .header]
        // A record names the client and the recipients.
        if services.observer.isRecording { events.formUnion([.helo, .recipient]) }
        return MilterNeeds(
            events: events, edits: [.addHeaders, .changeHeaders],
            macros: macros)
    }

    /// Makes the session of the connection.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> ScrubSession {
        ScrubSession(services: services, configuration: configuration)
    }
}
