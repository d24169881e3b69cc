import DaemonKit
import Glibc
import MailAuth
import MailDNS
import Synchronization

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
    private let hasWarnedOfSpaces = Atomic(false)

    /// Puts the services together.
    init(configuration: Snapshot<DKIMConfiguration>, resolver: any DNSResolver, log: Log) {
        self.configuration = configuration
        self.resolver = resolver
        self.log = log
    }

    /// Seconds since 1970.
    var now: Int64 { Int64(time(nil)) }

    /// Says once that the MTA hides what simple header canonicalization signs.
    func warnOfHiddenSpaces(_ queueID: String?) {
        guard !hasWarnedOfSpaces.exchange(true, ordering: .relaxed) else { return }
        log.warning(
            queueID,
            "the MTA does not tell the white space after the colon of a header field, so that a signature "
                + "with simple header canonicalization may not verify; set Canonicalization relaxed/simple, "
                + "or milter_protocol 6 in Postfix")
    }
}
