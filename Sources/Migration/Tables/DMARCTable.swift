extension DirectiveTable {
    /// The directives of OpenDMARC.
    static let dmarc = DirectiveTable(
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
        DomainWhitelistSize | dropped | the list grows as it must
        MilterDebug | dropped | -v is for that
        TemporaryDirectory | dropped | no temporary files are made
        FailureReports | none | no failure reports are sent; CopyFailuresTo shows failures to you
        FailureReportsBcc | none | no failure reports are sent
        FailureReportsOnNone | none | no failure reports are sent
        FailureReportsSentBy | none | no failure reports are sent
        ReportCommand | none | no failure reports are sent
        ChangeRootDirectory | none | the unit confines the daemon
        HistoryFile | meaning | kept for opendmarc-import; signet report needs ReportStore alone
        RejectFailures | meaning | mail of lists is not rejected unless ExemptLists is no (RFC 9989, section 7.4)
        TrustedAuthservIDs | meaning | used only with SPFSelfValidate no or DKIMSelfValidate no
        PublicSuffixList | meaning | used only with DomainDiscovery psl or auto; the default is the tree walk of RFC 9989
        """)
}
