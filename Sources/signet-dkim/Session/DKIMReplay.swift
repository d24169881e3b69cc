import DaemonKit
import MailAuth
import MailDNS
import MilterDaemon
import Observation
import Replay

/// Decisions of the record, each taken again by a session of its own.
enum DKIMReplay {
    /// Decides about a message.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    ///   - today: the DNS of today, for where that is asked for.
    /// - Returns: what of the message was lacking, in words.
    static func decide(
        _ occasion: EntryReplay.Occasion, _ settings: DKIMConfiguration,
        today: (any DNSResolver)? = nil
    ) -> [String] {
        let witness = MessageWitness(recalling: occasion.facts.statements)
        let (resolver, time) = occasion.sources(today: today)
        let services = DKIMServices(
            configuration: Snapshot(settings), resolver: resolver,
            log: Log(level: .error, collecting: { _, _ in }), observer: occasion.observer,
            time: time, recalling: witness)
        let session = DKIMFilter(services: services).makeSession(
            protocol: MilterReplay.negotiated(occasion.facts))
        MilterReplay.pass(occasion.facts, through: session)
        return witness.lacking
    }
}
