/// Every directive that opendmarc.conf(5) of 1.4.2 lists, by what becomes of it here, and our own.
enum PeerDirectives {
    static let implemented = words(
        """
        AuthservID AuthservIDWithJobID BaseDirectory CopyFailuresTo DNSTimeout DomainWhitelist DomainWhitelistFile
        FailureReports FailureReportsBcc FailureReportsOnNone FailureReportsSentBy HistoryFile
        HoldQuarantinedMessages IgnoreAuthenticatedClients IgnoreHosts IgnoreMailFrom IgnoreMailTo PidFile
        PublicSuffixList RecordAllMessages RejectFailures RejectMultiValueFrom RejectString RequiredHeaders SPFIgnoreResults
        SPFSelfValidate Socket SoftwareHeader Syslog SyslogFacility TrustedAuthservIDs UMask UserID
        """)
    static let withoutEffect = words(
        """
        AutoRestart AutoRestartCount AutoRestartRate Background DomainWhitelistSize EnableCoredumps
        MilterDebug ReportCommand
        """)
    static let refused = words("ChangeRootDirectory")
    static let ours = words(
        """
        DKIMSelfValidate DomainDiscovery ExemptDomains ExemptHosts ExemptLists FailureReportsBody FailureReportsDirectory
        FailureReportsPerHour FailureReportsRedact FlightRecord FlightRecordLimit FlightRecordPrivacy
        MaximumHeaders Metrics
        MaximumSignaturesToVerify MinimumKeyBits Nameservers NoReports OnEvaluationTimeout
        OrganizationName PostfixDirectory RejectUnreadableFrom ReportBounceAddress ReportEmail ReportRetention ReportStore
        ReportStoreLimit RequiredFrom ReverseLookup Shadow SingletonHeaders SocketGroup SyslogName
        SyslogSuccess Transport
        TrustAnchorFile TrustedResultsFields TrustedSealers
        """)

    /// Of OpenDMARC's development version; here it is another name of NoReports.
    static let development = words("NoReportsList")

    static var all: [String] { implemented + withoutEffect + refused }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
