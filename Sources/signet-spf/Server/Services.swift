import DaemonKit
import MailDNS

/// What all sessions share: the configuration that holds, the engine, the log.
final class Services: Sendable {
    /// The configuration.
    let configuration: Snapshot<SPFConfiguration>
    /// What answers questions.
    let engine: PolicyEngine
    /// Where lines go.
    let log: Log

    /// Puts the services together.
    init(configuration: Snapshot<SPFConfiguration>, resolver: any DNSResolver, log: Log) {
        self.configuration = configuration
        engine = PolicyEngine(resolver: resolver, leastLevel: log.isEnabled(.debug) ? 3 : -1)
        self.log = log
    }
}
