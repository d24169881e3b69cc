import Configuration
import HeaderScrub
import Observation
import Traffic

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each connection keeps the one it began with, and a reload replaces it as a whole.
struct ScrubConfiguration: Sendable {
    /// Whose mail is scrubbed: that of authenticated clients, and what the configuration names.
    var traffic = TrafficPolicy()
    /// What becomes of header fields.
    var policy = ScrubPolicy()
    /// What speaks the milter protocol.
    var transport = MilterTransport.native
    /// What is kept and counted.
    var observation = ObservationSettings()
    /// Whether good news is logged.
    var logsSuccess = false

    /// Authenticated clients, and the default rules.
    init() {}

    /// Reads all directives; usable only when the reader has no errors afterwards.
    init(reading reader: ConfigurationReader) {
        traffic = TrafficPolicy(
            internalHosts: reader.peerSet("InternalHosts") ?? PeerSet(),
            listeners: reader.dataSet("MTA"),
            macrosOfOurs: reader.macroConditions("MacroList"))
        policy = ScrubPolicy(reading: reader)
        observation = ObservationSettings(reader)
        transport = MilterTransport(reader)
        logsSuccess = reader.boolean("SyslogSuccess")
        let looksTwice = policy.replacesOwnReceived
        MilterLists(reader)?.check(reader) { Self.fault($0, looksTwice: looksTwice) }
    }

    /// What is wrong with our place in a list of milters.
    ///
    /// What a signer before us has signed, we break; and a replacement of the MTA's own field that nobody looks at again may have
    /// failed.
    private static func fault(
        _ milters: MilterLists.Milters, looksTwice: Bool
    ) -> MilterLists.Fault? {
        if let signer = milters.before(where: MilterLists.isSigner) {
            return MilterLists.Fault(
                "\(signer) signs before signet-scrub has changed the message",
                suggestion: "name signet-scrub before the signer in the list of milters")
        }
        if looksTwice, !milters.isNamedTwice {
            return MilterLists.Fault(
                "ReplaceOwnReceived: nothing checks that the MTA's own field is gone",
                suggestion: "name the socket twice, one after the other, in the list of milters")
        }
        return nil
    }
}
