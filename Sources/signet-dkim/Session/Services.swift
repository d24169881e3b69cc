import DaemonKit
import Glibc
import MailAuth
import MailDNS

/// What all sessions share: the configuration that holds, the resolver, the keys, the log, the clock.
final class Services: Sendable {
    /// The configuration; each connection takes it once.
    let configuration: Snapshot<DKIMConfiguration>
    /// Where keys are looked up.
    let resolver: any DNSResolver
    /// Keys of signers, parsed once.
    let publicKeys = ParsedKeyCache()
    /// Where lines go.
    let log: Log

    /// Puts the services together.
    init(configuration: Snapshot<DKIMConfiguration>, resolver: any DNSResolver, log: Log) {
        self.configuration = configuration
        self.resolver = resolver
        self.log = log
    }

    /// Seconds since 1970.
    var now: Int64 { Int64(time(nil)) }
}
