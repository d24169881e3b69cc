extension DirectiveTable {
    /// The directives of OpenDKIM and dkimpy-milter.
    static let dkim = DirectiveTable(
        """
        Socket | dropped | systemd opens the socket of Signet's daemon
        UserID | dropped | the unit chooses the user
        PidFile | dropped | systemd knows the process
        UMask | dropped | the socket unit sets owner and mode
        Background | dropped | the daemon stays in the foreground
        AutoRestart | dropped | systemd restarts the daemon
        AutoRestartCount | dropped | systemd restarts the daemon
        AutoRestartRate | dropped | systemd restarts the daemon
        Syslog | dropped | lines go to the journal, and from there to syslog
        AllowSHA1Only | dropped | SHA-256 is always there, and SHA-1 never counts (RFC 8301)
        DisableCryptoInit | dropped | OpenSSL 3 needs no initialization
        DNSConnect | dropped | queries begin with UDP and turn to TCP when they must
        KeepTemporaryFiles | dropped | no temporary files are made
        QueryCache | dropped | answers and keys are always cached
        SoftStart | dropped | there is no database to wait for
        TemporaryDirectory | dropped | no temporary files are made
        StrictTestMode | dropped | -t reads messages with either line end
        MilterDebug | dropped | -v is for that
        ResolverTracing | dropped | -v is for that, and signet check
        FixCRLF | dropped | what is signed is what Postfix delivers
        WeakSyntaxChecks | dropped | signatures are verified whatever the From field looks like
        DomainKeysCompat | dropped | DomainKeys is historic (RFC 4870)
        MaximumSignedBytes | none | it needs l=, which lets anyone append to a signed message
        BodyLengthDB | none | l= lets anyone append to a signed message, and is never made
        Minimum | none | octets beyond l= never pass here, which is stricter
        ATPSDomains | none | no verifier asks for it (RFC 6541)
        ATPSHashAlgorithm | none | no verifier asks for it (RFC 6541)
        DiagnosticDirectory | none | mail is not written to files; run signet check on a saved message
        IdentityHeader | none | the second field of SigningTable says what i= is
        IdentityHeaderRemove | none | signet-scrub removes header fields
        MTACommand | none | no reports are sent, so nothing is run
        ReportAddress | none | no RFC 6651 reports are sent; signet-dmarc has DMARC's
        ReportBccAddress | none | no RFC 6651 reports are sent; signet-dmarc has DMARC's
        RequestReports | none | no RFC 6651 reports are asked for
        SendReports | none | no RFC 6651 reports are sent; signet-dmarc has DMARC's
        SMTPURI | none | no reports are sent
        SelectCanonicalizationHeader | none | a field that anyone can write does not choose; Canonicalization does
        ChangeRootDirectory | none | the unit confines the daemon
        DNSOverride | none | one record for every signature would pass forged mail
        POPDBFile | none | POP before SMTP is no authentication
        RedirectFailuresTo | none | it loses the recipients; On-BadSignature quarantine holds the message
        ReplaceHeaders | none | what is signed is what is sent; canonical_maps rewrites before
        ReplaceRules | none | what is signed is what is sent; canonical_maps rewrites before
        ResignAll | none | mail that passes through keeps its signatures
        ResignMailTo | none | mail that passes through keeps its signatures
        Statistics | none | statistics are in the log, one line a message
        StatisticsName | none | statistics are in the log, one line a message
        StatisticsPrefix | none | statistics are in the log, one line a message
        FinalPolicyScript | none | there is no Lua; On- directives and signet-dmarc decide
        ScreenPolicyScript | none | there is no Lua; the signing tables and InternalHosts decide
        SetupPolicyScript | none | there is no Lua; the signing tables decide
        StatsPolicyScript | none | there is no Lua; statistics are in the log
        LDAPAuthMechanism | none | signet migrate alone uses it, as it reads the tables
        LDAPAuthName | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPAuthRealm | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPAuthUser | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPBindPassword | none | signet migrate alone uses it, as it reads the tables
        LDAPBindUser | none | signet migrate alone uses it, as it reads the tables
        LDAPDisableCache | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPKeepaliveIdle | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPKeepaliveInterval | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPKeepaliveProbes | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPTimeout | none | signet-dkim reads files: signet migrate has made them of the tables
        LDAPUseTLS | none | signet migrate alone uses it, as it reads the tables
        VBR-Certifiers | none | Vouch by Reference has no certifiers left (RFC 5518)
        VBR-PurgeFields | none | Vouch by Reference has no certifiers left (RFC 5518)
        VBR-TrustedCertifiers | none | Vouch by Reference has no certifiers left (RFC 5518)
        VBR-TrustedCertifiersOnly | none | Vouch by Reference has no certifiers left (RFC 5518)
        VBR-Type | none | Vouch by Reference has no certifiers left (RFC 5518)
        """)
}
