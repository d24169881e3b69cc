import DaemonKit
import MailAuth
import MailDNS
import MilterDaemon
import Observation
import Replay
import ReportStore

/// Decisions of the record, each taken again by a session of its own: nothing is reported or counted.
enum DMARCReplay {
    /// Decides about a message.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, for where that is asked for.
    /// - Returns: what of the message was lacking, in words.
    static func decide(
        _ occasion: EntryReplay.Occasion, _ settings: DMARCConfiguration,
        today: (any DNSResolver)? = nil
    ) -> [String] {
        let witness = MessageWitness(recalling: occasion.facts.statements)
        let log = Log(level: .error, collecting: { _, _ in })
        let records = Records(RecordPolicy(), log: log)
        defer { records.close() }
        let (resolver, time) = occasion.sources(today: today)
        let services = DMARCServices(
            configuration: Snapshot(settings), resolver: resolver, records: records, log: log,
            observer: occasion.observer, time: time, recalling: witness)
        let session = DMARCFilter(services: services).makeSession(
            protocol: MilterReplay.negotiated(occasion.facts))
        MilterReplay.pass(occasion.facts, through: session)
        return witness.lacking
    }
}
