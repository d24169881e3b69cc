import DaemonKit
import Glibc
import MailAuth
import MailDNS

/// What all sessions share: the configuration that holds, the resolver, the keys, the records, the log, the clock.
final class Services: Sendable {
    /// The configuration; each connection takes it once.
    let configuration: Snapshot<DMARCConfiguration>
    /// Who answers questions.
    let resolver: any DNSResolver
    /// Keys of signers, parsed once.
    let publicKeys = ParsedKeyCache()
    /// SPF and DMARC records, parsed once.
    let spfRecords = SPFRecordCache()
    let dmarcRecords = DMARCRecordCache()
    /// Where evaluations are recorded.
    let records: Records
    /// Where lines go.
    let log: Log

    /// Puts the services together.
    init(
        configuration: Snapshot<DMARCConfiguration>, resolver: any DNSResolver, records: Records,
        log: Log
    ) {
        self.configuration = configuration
        self.resolver = resolver
        self.records = records
        self.log = log
    }

    /// Seconds since 1970.
    var now: Int64 { Int64(time(nil)) }
}
