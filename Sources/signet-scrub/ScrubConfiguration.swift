import Configuration
import HeaderScrub
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
        transport = MilterTransport(reader)
        logsSuccess = reader.boolean("SyslogSuccess")
        if let directory = reader.text("PostfixDirectory"), let socket = reader.socket("Socket") {
            MilterOrder(
                directory: directory, socket: socket, looksTwice: policy.replacesOwnReceived
            ).check(reader)
        }
    }
}
