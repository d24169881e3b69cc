import DaemonKit
import MailAuth
import MailDNS
import MilterDaemon
import Observation
import Replay
import Threads

/// A decision of the record, taken again by a session of its own.
struct DKIMReplay {
    private let occasion: EntryReplay.Occasion
    private let settings: DKIMConfiguration
    private let today: (any DNSResolver)?

    /// Prepares to decide.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, where that is asked for.
    init(
        _ occasion: EntryReplay.Occasion, _ settings: DKIMConfiguration,
        today: (any DNSResolver)? = nil
    ) {
        self.occasion = occasion
        self.settings = settings
        self.today = occasion.asksAgain ? today : nil
    }

    /// Decides, and tells what of the message was lacking.
    func decide() -> [String] {
        let witness = MessageWitness(recalling: occasion.facts.statements)
        let log = Log(level: .error, collecting: { _, _ in })
        let services = DKIMServices(
            configuration: Snapshot(settings), resolver: today ?? occasion.recalled,
            log: log, observer: occasion.observer,
            time: today == nil ? occasion.recalled.time : .system, recalling: witness)
        let session = DKIMFilter(services: services).makeSession(
            protocol: MilterReplay.negotiated(occasion.facts))
        MilterReplay.pass(occasion.facts, through: session)
        return witness.lacking
    }
}
