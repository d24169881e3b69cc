import DaemonKit
import MailDNS
import Observation
import PolicyProtocol
import Replay

/// Answers of the record, given again.
enum PolicyReplay {
    /// Answers as the configuration says.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, for where that is asked for.
    static func answer(
        _ occasion: EntryReplay.Occasion, _ settings: SPFConfiguration,
        today: (any DNSResolver)? = nil
    ) {
        var request = PolicyRequest()
        for (name, value) in occasion.facts.attributes {
            if let attribute = PolicyRequest.Attribute(rawValue: name) {
                request[attribute] = value
            }
        }
        let (resolver, time) = occasion.sources(today: today)
        let services = Services(
            configuration: Snapshot(settings), resolver: resolver,
            log: Log(level: .error, collecting: { _, _ in }), observer: occasion.observer,
            time: time)
        var memory = ConnectionMemory()
        var output: [UInt8] = []
        services.answer(.request(request), &memory, output: &output)
    }
}
