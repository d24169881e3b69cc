import DaemonKit
import Foundation
import TestKit
import Testing

@testable import signet_dmarc

/// Every directive of opendmarc.conf(5): its class, and that the configuration has it.
@Suite struct DirectiveTests {
    private let schema = SignetDMARC.description.schema

    /// What opendmarc.conf(5) of 1.4.2 lists.
    static let implemented = words(
        """
        AuthservID AuthservIDWithJobID CopyFailuresTo DomainWhitelist DomainWhitelistFile DNSTimeout HistoryFile
        HoldQuarantinedMessages IgnoreAuthenticatedClients IgnoreHosts IgnoreMailFrom IgnoreMailTo PidFile
        PublicSuffixList RecordAllMessages RejectFailures RejectMultiValueFrom RejectString RequiredHeaders Socket
        SoftwareHeader SPFIgnoreResults SPFSelfValidate Syslog SyslogFacility TrustedAuthservIDs UMask UserID
        """)
    static let withoutEffect = words(
        """
        AutoRestart AutoRestartCount AutoRestartRate Background DomainWhitelistSize EnableCoredumps FailureReportsBcc
        FailureReportsSentBy MilterDebug ReportCommand
        """)
    static let refused = words(
        "BaseDirectory ChangeRootDirectory FailureReports FailureReportsOnNone")
    static let ours = words(
        """
        DKIMSelfValidate DomainDiscovery ExemptDomains ExemptHosts ExemptLists MaximumHeaders
        MaximumSignaturesToVerify MinimumKeyBits Nameservers ReportRetention ReportStore ReverseLookup SocketGroup SyslogName
        SyslogSuccess TrustAnchorFile TrustedSealers
        """)

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    @Test func `the schema has these directives and no others`() {
        let known = Set(schema.directives.flatMap { [$0.name] + $0.aliases })
        let listed = Set(Self.implemented + Self.withoutEffect + Self.refused + Self.ours)
        #expect(known.subtracting(listed).isEmpty, "unlisted: \(known.subtracting(listed))")
        #expect(listed.subtracting(known).isEmpty, "unknown: \(listed.subtracting(known))")
    }

    @Test(arguments: withoutEffect) func `is accepted with a notice`(_ name: String) {
        let problems = read("\(name) 1\n").problems
        #expect(problems.map(\.severity) == [.notice], "\(problems)")
    }

    @Test(arguments: refused) func `is refused with the way to go`(_ name: String) {
        let problems = read("\(name) yes\n").problems
        #expect(problems.map(\.severity) == [.error])
        #expect(problems.first?.suggestion?.isEmpty == false)
        #expect(read("\(name) no\n").problems.hasErrors == !name.hasPrefix("FailureReports"))
    }

    @Test(arguments: implemented + ours) func `is implemented, and says what it means`(
        _ name: String
    ) throws {
        let spec = try #require(schema[name])
        guard case .implemented = spec.support else {
            Issue.record("\(name) is not implemented")
            return
        }
        #expect(!spec.meaning.isEmpty)
    }

    @Test func `the defaults are valid, and the settled ones hold`() {
        let (configuration, problems) = read("")
        #expect(problems.isEmpty, "\(problems)")
        #expect(configuration.scope.ignoresAuthenticated)
        #expect(configuration.trusted.evaluatesSPF && configuration.trusted.evaluatesDKIM)
        #expect(configuration.trusted.hosts.isEmpty)
        #expect(!configuration.dispositions.rejects && !configuration.dispositions.holds)
        #expect(configuration.records.store == "/var/lib/signet-dmarc/reports.db")
        #expect(read("ReportStore none").configuration.records.store == nil)
        #expect(read("ReportStore reports.db").problems.hasErrors)
        #expect(read("CopyFailuresTo nobody").problems.hasErrors)
        #expect(read("DomainDiscovery psl").problems.hasErrors)
    }

    /// The configurations of the guide and of Debian's package, paths apart.
    @Test(arguments: [
        """
        PidFile /run/opendmarc/opendmarc.pid
        PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
        Socket local:/run/opendmarc/opendmarc.sock
        Syslog true
        UMask 0002
        UserID opendmarc
        """,
        """
        AuthservID OpenDMARC
        TrustedAuthservIDs mail.your.org
        PidFile /run/opendmarc/opendmarc.pid
        RejectFailures true
        Socket local:/var/spool/postfix/opendmarc/opendmarc.sock
        Syslog true
        UMask 0002
        UserID opendmarc
        IgnoreAuthenticatedClients true
        IgnoreHosts /dev/null
        RequiredHeaders true
        SPFSelfValidate true
        PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
        """,
    ]) func `is read as it stands`(_ text: String) {
        let problems = read(text.replacing("IgnoreHosts /dev/null\n", with: "")).problems
        #expect(problems.allSatisfy { $0.severity < .warning }, "\(problems)")
    }

    @Test func `every directive has its entry in signet-dmarc.conf(5)`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../packaging/man/signet-dmarc.conf.5")
        let text = try String(contentsOf: page, encoding: .utf8)
        for name in schema.directives.flatMap({ [$0.name] + $0.aliases }) {
            #expect(
                text.contains(try Regex("(?m)^\\.(It|Ic|Pq|Sm|Li)?.*\\b\(name)\\b")), "\(name)")
        }
    }
}
