import DaemonKit
import MailAuth
import MailDNS
import MilterDaemon
import Observation
import Replay
import ReportStore
import Threads

/// A decision of the record, taken again by a session of its own: nothing is reported or counted.
struct DMARCReplay {
    private let occasion: EntryReplay.Occasion
    private let settings: DMARCConfiguration
    private let today: (any DNSResolver)?

    /// Prepares to decide.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, where that is asked for.
    init(
        _ occasion: EntryReplay.Occasion, _ settings: DMARCConfiguration,
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
        let records = Records(RecordPolicy(), log: log)
        defer { records.close() }
        let services = DMARCServices(
            configuration: Snapshot(settings), resolver: today ?? occasion.recalled,
            records: records, log: log, observer: occasion.observer,
            time: today == nil ? occasion.recalled.time : .system, recalling: witness)
        let session = DMARCFilter(services: services).makeSession(
            protocol: MilterReplay.negotiated(occasion.facts))
        MilterReplay.pass(occasion.facts, through: session)
        return witness.lacking
    }
}
