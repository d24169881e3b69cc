extension DirectiveTable {
    /// The directives of policyd-spf.
    static let spf = DirectiveTable(
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
        Mock | dropped | it is for Postfix before 3.0
        Domain_Whitelist_PTR | meaning | the name is confirmed by its address, where policyd-spf takes any PTR
        """)
}
