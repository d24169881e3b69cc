import DaemonKit
import MilterDaemon
import Observation
import Replay

/// Decisions of the record, each taken again by a session of its own.
enum ScrubReplay {
    /// Decides about a message.
    ///
    /// - Parameters:
    ///   - occasion: what was known then.
    ///   - settings: the configuration.
    /// - Returns: what of the message was lacking, in words.
    static func decide(
        _ occasion: EntryReplay.Occasion, _ settings: ScrubConfiguration
    ) -> [String] {
        let facts = occasion.facts
        let services = ScrubServices(
            configuration: Snapshot(settings), log: Log(level: .error, collecting: { _, _ in }),
            observer: occasion.observer, time: occasion.recalled.time,
            recalling: ScrubDecision.witness(facts.attributes))
        let session = ScrubFilter(services: services).makeSession(
            protocol: MilterReplay.negotiated(facts))
        MilterReplay.pass(facts, through: session)
        return session.lacksHeader
            ? ["its header fields: they are kept only of mail that is scrubbed"] : []
    }
}
