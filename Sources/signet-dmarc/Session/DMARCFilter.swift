import DaemonKit
import FailureReports
import Milter
import Observation

/// The filter that serves one connection, with the configuration that holds when it begins: what it needs of the MTA, and its
/// session.
struct DMARCFilter: MilterFilter {
    private let services: DMARCServices
    private let configuration: DMARCConfiguration

    /// Takes the configuration that holds now.
    init(services: DMARCServices) {
        self.services = services
        configuration = services.configuration.current
    }

    /// The events and edits that the configuration calls for; nothing is answered before end of message.
    var needs: MilterNeeds {
        var events: MilterEvents = [.connect, .helo, .mail, .header, .endOfHeader, .body]
        var edits: MilterEdits = [.addHeaders, .changeHeaders]
        // Who sends reports has to see mail to their senders, and names the domain of the recipients.
        if configuration.records.ignoredRecipients != nil
            || configuration.records.reportAddress != nil || configuration.failures.isOn
        {
            events.insert(.recipient)
        }
        if configuration.failureCopy != nil {
            events.insert(.recipient)
            edits.insert(.addRecipients)
        }
        // Who only compares asks for no edit, so that the MTA takes none.
        let isShadow = configuration.observation.isShadow
        // A record names the recipients.
        if services.observer.isRecording { events.insert(.recipient) }
        return MilterNeeds(
            events: events, edits: isShadow ? [] : edits,
            optionalEdits: isShadow ? [] : [.quarantine, .addRecipients])
    }

    /// Makes the session of the connection.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> DMARCSession {
        DMARCSession(services: services, configuration: configuration, protocol: negotiated)
    }
}
