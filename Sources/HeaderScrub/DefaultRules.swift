internal import Configuration

/// The rules that hold after the postmaster's own, unless `DefaultRules no`.
///
/// Each takes away what says where the sender sits, what the machine is called, who is logged in, or which program wrote the
/// message. Fields that recipients use (threads, priorities, lists) stay.
extension RuleList {
    /// The rules as a configuration would write them.
    public static let defaults: [(action: ScrubRule.Action, text: String)] =
        [
            (.replace, "Received"), (.replace, "MIME-Version"),
            // Without the key, Outlook takes what is in winmail.dat for another message's.
            (.keep, "X-MS-TNEF-Correlator ?*"),
        ]
        + removedByDefault.map { (.remove, $0) }

    /// The default rules, compiled.
    static let defaultRules: [ScrubRule] = {
        let place = SourceLocation(file: "default rules")
        return defaults.compactMap { try? ScrubRule($0.action, $0.text, at: place) }
    }()

    private static let removedByDefault = addresses + accounts + programs

    /// Addresses and names of machines.
    ///
    /// Written by, where it is one program's own: X-Forward, SOGo (SoObjects/Mailer/SOGoDraftObject.m, from
    /// x-webobjects-remote-host); X-Forwarded-*, web servers before a webmailer, which hand their request's fields on;
    /// NNTP-Posting-* to X-Trace, gateways from news; X-MIMETrack, Domino's servers by name, and X-Lotus-*, its domain; X-MDRemoteIP to
    /// X-MDOrigin-Country, MDaemon; X-SA-Exim-*, SA-Exim, the client's address, sender and recipients; X-OriginalArrivalTime,
    /// the SMTP service of Windows and Exchange, its clock; X-MS-Office365-* to X-LD-Processed, Exchange Online, the tenant;
    /// X-Exim-ID to X-Email-Count, cPanel hosts beside X-Source-*; X-PGP-Universal, Symantec's gateway, with its name and clock.
    /// Those from X-MDRemoteIP on were found in archives of public mailing lists.
    private static let addresses = [
        "X-Originating-*", "X-Originator-*", "X-Client-*", "X-Sender-IP", "X-Sender-Host",
        "X-Source-*", "X-Source", "X-Remote-*", "X-RemoteIP", "X-Real-IP", "X-User-IP",
        "X-SMTP-Client-*", "X-ClientProxiedBy", "X-Forward", "X-Forwarded-IP", "X-Forwarded-For",
        "X-Forwarded-Host", "X-Forwarded-Server", "X-Cluster-Client-IP", "X-ProxyUser-IP",
        "X-MDRemoteIP", "X-MDHelo", "X-MDArrival-Date", "X-MDOrigin-Country", "X-Greylist", "X-IP",
        "X-Host", "X-HTTP-*", "X-Webmail-*", "X-MIMETrack",
        "NNTP-Posting-*", "X-NNTP-Posting-*", "X-Trace", "X-ClientAddr", "X-Uptime",
        "X-MS-Exchange-*", "X-Microsoft-Antispam*", "X-Forefront-*", "X-OriginatorOrg",
        "X-MS-Office365-*", "X-MS-PublicTrafficType", "X-MS-TrafficTypeDiagnostic",
        "X-EOPAttributedMessage", "X-LD-Processed", "X-OriginalArrivalTime", "X-SA-Exim-*",
        "X-Lotus-*", "X-Exim-ID", "X-BWhitelist", "X-Email-Count",
        "X-SenderIP", "X-SMTP-Server", "X-PGP-Universal", "Received-SPF",
    ]

    /// Names of accounts, and of programs on the server that wrote the message.
    ///
    /// X-Squirrel-* hold the login and the client's address under a short key (class/deliver/Deliver.class.php of SquirrelMail),
    /// X-DG-* the path of a file in the user's folder, in Base64; X-Titus-*, X-CTPClassification and DLP-* are, as those, of
    /// software that classifies mail (all in archives of public mailing lists). X-AntiAbuse to X-From-Rewrite are of cPanel's
    /// Exim, X-PPP-* of Plesk, X-Identity-Key and X-Account-Key of Thunderbird, X-K9mail-Identity of K-9 Mail, X-Claws-* and X-Sylpheed-* of Claws Mail and Sylpheed, which name the account in drafts.
    /// X-Blue-Identity to X-Is-Generated-Message-Id are BlueMail's: the account, and the place in it of the message that is
    /// answered, in Base64. Originator-Info is Mulberry's, the login and the server it reads mail on; Comments of this kind are
    /// Pegasus Mail's, the login; X-Cron-Env cron's, the user, the home directory and the shell of a job.
    private static let accounts = [
        "X-Auth-*", "X-AuthUser", "X-Authenticated-*", "X-Authentication-Warning", "X-Sender",
        "X-X-Sender", "X-Sender-Id", "X-SquirrelMail-*", "X-Squirrel-*", "X-DG-*", "X-Titus-*",
        "X-CTPClassification", "DLP-*", "X-PHP-*", "X-Script-*", "X-CGI-*", "X-AntiAbuse",
        "X-Get-Message-Sender-Via", "X-From-Rewrite", "X-PPP-*", "X-Identity-Key",
        "X-Account-Key", "X-K9mail-Identity", "X-Claws-*", "X-Sylpheed-*", "X-Login",
        "X-Username", "X-Blue-Identity", "X-Referenced-Uid", "X-Is-Generated-Message-Id",
        "Originator-Info", "Comments Authenticated sender *", "X-Cron-Env",
    ]

    /// Mail programs and what they leave behind.
    ///
    /// X-Pgp-Agent is GPGMail's, X-Readdle-* Spark's, X-Rim-* BlackBerry's, X-Google-* and X-Gm-* of Gmail sending through
    /// another server, X-QQ-*, X-CM-* and X-Coremail-* of webmailers in China; X-Library names Indy, X-EM-* a component for
    /// Windows and its licence, X-KeepSent and X-TNEFEvaluated Notes and Domino, X-MS-Has-Attach and an empty
    /// X-MS-TNEF-Correlator Outlook and Exchange, X-GUID and X-Has-Attach Foxmail, X-Android-Message-ID Android's own mail
    /// program, X-OX-Marker Open-Xchange.
    private static let programs = [
        "X-Mailer", "X-Mailer-*", "User-Agent", "UserAgent", "*-User-Agent", "X-UserAgent",
        "Mail-Client", "X-Mail-Client", "X-MailClient", "X-Newsreader", "X-MimeOLE", "X-MSMail-*",
        "X-MUA", "X-Pgp-Agent", "X-Mozilla-*", "X-Mozilla", "X-Enigmail-*", "X-Apple-*",
        "X-Uniform-Type-Identifier", "X-Universally-Unique-Identifier", "X-Evolution-*",
        "X-KMail-*", "X-Readdle-*", "X-Rim-*", "X-Google-*", "X-Gm-*", "X-QQ-*", "X-CM-*",
        "X-Coremail-*", "X-Library", "X-EM-Version", "X-EM-Registration", "X-KeepSent",
        "X-TNEFEvaluated", "X-GUID", "X-Has-Attach", "X-Android-Message-ID", "X-OX-Marker",
        "X-MS-Has-Attach", "X-MS-TNEF-Correlator", "X-Operating-System", "X-OS", "X-Editor",
    ]
}
