import DaemonKit
import MailDNS
import Observation
import PolicyProtocol
import Replay
import Threads

/// An answer of the record, given again.
struct PolicyReplay {
    private let occasion: EntryReplay.Occasion
    private let settings: SPFConfiguration
    private let today: (any DNSResolver)?

    /// Prepares to answer.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, where that is asked for.
    init(
        _ occasion: EntryReplay.Occasion, _ settings: SPFConfiguration,
        today: (any DNSResolver)? = nil
    ) {
        self.occasion = occasion
        self.settings = settings
        self.today = occasion.asksAgain ? today : nil
    }

    /// Answers.
    func decide() {
        var request = PolicyRequest()
        for (name, value) in occasion.facts.attributes {
            if let attribute = PolicyRequest.Attribute(rawValue: name) {
                request[attribute] = value
            }
        }
        let services = Services(
            configuration: Snapshot(settings), resolver: today ?? occasion.recalled,
            log: Log(level: .error, collecting: { _, _ in }), observer: occasion.observer,
            time: today == nil ? occasion.recalled.time : .system)
        var memory = ConnectionMemory()
        var output: [UInt8] = []
        services.answer(.request(request), &memory, output: &output)
    }
}
