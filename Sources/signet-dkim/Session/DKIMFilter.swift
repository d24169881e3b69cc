import DaemonKit
import Milter
import Observation
import Traffic

/// The filter that serves one connection, with the configuration that holds when it begins: what it needs of the MTA, and its
/// session.
struct DKIMFilter: MilterFilter {
    private let services: DKIMServices
    private let configuration: DKIMConfiguration

    /// Takes the configuration that holds now.
    init(services: DKIMServices) {
        self.services = services
        configuration = services.configuration.current
    }

    /// The events and edits that the configuration calls for; nothing is answered before end of message.
    var needs: MilterNeeds {
        var events: MilterEvents = [.connect, .mail, .header, .endOfHeader, .body]
        if configuration.needsRecipients { events.insert(.recipient) }
        // A record names the client and the recipients.
        if services.observer.isRecording { events.formUnion([.helo, .recipient]) }
        var macros: [MilterStage: [String]] = [:]
        if !configuration.traffic.macroNames.isEmpty {
            // The list replaces the MTA's own for this stage, so it names what we always want there too.
            macros[.mail] = ["i", "auth_type", "auth_authen"] + configuration.traffic.macroNames
        }
        // Who only compares asks for no edit, so that the MTA takes none.
        let isShadow = configuration.observation.isShadow
        return MilterNeeds(
            events: events, edits: isShadow ? [] : [.addHeaders, .changeHeaders],
            optionalEdits: isShadow ? [] : [.quarantine], macros: macros)
    }

    /// Makes the session of the connection.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> DKIMSession {
        DKIMSession(services: services, configuration: configuration, protocol: negotiated)
    }
}
