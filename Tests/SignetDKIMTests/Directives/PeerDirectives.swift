/// Every directive that opendkim.conf(5) and dkimpy-milter.conf(5) list, by what becomes of it here.
///
/// The names are facts about the peers; a test holds them against the pages where those are at hand, and the schema against them.
enum PeerDirectives {
    /// Does what the page says, or what signet-dkim.conf(5) says in its stead.
    static let implemented = words(
        """
        BaseDirectory
        AlwaysAddARHeader AuthservID AuthservIDWithJobID BogusKey Canonicalization
        CaptureUnknownErrors ClockDrift Diagnostics DNSTimeout Domain DontSignMailTo
        ExemptDomains ExternalIgnoreList IgnoreMalformedMail Include InternalHosts
        KeepAuthResults KeyFile KeyFileEd25519 KeyTable KeyTableEd25519 LogResults LogWhy
        MacroList MacroListVerify MaximumHeaders MaximumSignaturesToVerify MinimumKeyBits Mode
        MTA MultipleSignatures MustBeSigned Nameservers NoHeaderB OmitHeaders On-BadSignature
        On-Default On-DNSError On-InternalError On-KeyNotFound On-NoSignature On-Security
        On-SignatureError OversignHeaders PeerList PidFile Quarantine RemoveARAll RemoveARFrom
        RemoveOldSignatures RequiredHeaders RequireSafeKeys Selector SelectorEd25519
        SenderHeaders SignatureAlgorithm SignatureTTL SignHeaders SigningTable Socket
        SoftwareHeader StrictHeaders SubDomains Syslog SyslogFacility SyslogName SyslogSuccess
        TestDNSData TestPublicKeys TrustAnchorFile TrustSignaturesFrom UMask UnprotectedKey
        UserID
        """)

    /// Accepted with a notice.
    static let withoutEffect = words(
        """
        AllowSHA1Only ATPSDomains ATPSHashAlgorithm AutoRestart AutoRestartCount
        AutoRestartRate Background BodyLengthDB
        DiagnosticDirectory DisableCryptoInit DNSConnect DomainKeysCompat EnableCoredumps
        FixCRLF IdentityHeader KeepTemporaryFiles LDAPAuthMechanism LDAPAuthName LDAPAuthRealm
        LDAPAuthUser LDAPBindPassword LDAPBindUser LDAPDisableCache LDAPKeepaliveIdle
        LDAPKeepaliveInterval LDAPKeepaliveProbes LDAPTimeout LDAPUseTLS MaximumSignedBytes
        MilterDebug Minimum MTACommand QueryCache ReportAddress ReportBccAddress RequestReports
        ResolverTracing SelectCanonicalizationHeader SendReports SMTPURI SoftStart Statistics
        StatisticsName StatisticsPrefix StrictTestMode TemporaryDirectory VBR-Certifiers
        VBR-PurgeFields VBR-TrustedCertifiers VBR-TrustedCertifiersOnly VBR-Type
        WeakSyntaxChecks
        """)

    /// An error with a way to go.
    static let refused = words(
        """
        ChangeRootDirectory DNSOverride FinalPolicyScript IdentityHeaderRemove POPDBFile
        RedirectFailuresTo ReplaceHeaders ReplaceRules ResignAll ResignMailTo
        ResolverConfiguration ScreenPolicyScript SenderMacro SetupPolicyScript
        StatisticsPolicyScript
        """)

    /// What signet-dkim has of its own, and of OpenDKIM's development version.
    static let ours = words(
        """
        CheckSigningTable FixedTimestamp FlightRecord FlightRecordLimit FlightRecordPrivacy
        SigningLog
        KeyDirectory KeyMaximumAge Metrics PostfixDirectory Shadow SingletonHeaders SocketGroup
        Transport
        """)

    /// All of both pages.
    static var all: [String] { implemented + withoutEffect + refused }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
