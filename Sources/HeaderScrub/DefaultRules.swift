internal import Configuration

/// The rules that hold after the postmaster's own, unless `DefaultRules no`.
///
/// Each takes away what says where the sender sits, what the machine is called, who is logged in, or which program wrote the
/// message. Fields that recipients use (threads, priorities, lists) stay.
extension RuleList {
    /// The rules as a configuration would write them.
    public static let defaults: [(action: ScrubRule.Action, text: String)] =
        [(.replace, "Received")] + removedByDefault.map { (.remove, $0) }

    /// The default rules, compiled.
    static let defaultRules: [ScrubRule] = {
        let place = SourceLocation(file: "default rules")
        return defaults.compactMap { try? ScrubRule($0.action, $0.text, at: place) }
    }()

    private static let removedByDefault = addresses + accounts + programs

    /// Addresses and names of machines.
    private static let addresses = [
        "X-Originating-*", "X-Originator-*", "X-Client-*", "X-Sender-IP", "X-Sender-Host",
        "X-Source-*", "X-Source", "X-Remote-*", "X-Real-IP", "X-SMTP-Client-*", "X-ClientProxiedBy",
        "X-Forwarded-IP", "X-Greylist", "X-IP", "X-Host", "X-HTTP-*", "X-Webmail-*",
        "X-MS-Exchange-Organization-*", "X-MS-Exchange-CrossTenant-*", "X-OriginatorOrg",
        "Received-SPF",
    ]

    /// Names of accounts, and of programs on the server that wrote the message.
    private static let accounts = [
        "X-Auth-*", "X-AuthUser", "X-Authenticated-*", "X-Authentication-Warning", "X-Sender",
        "X-X-Sender", "X-SquirrelMail-*", "X-PHP-*", "X-Script-*", "X-CGI-*", "X-AntiAbuse",
        "X-Get-Message-Sender-Via", "X-Identity-Key", "X-Account-Key", "X-Login",
    ]

    /// Mail programs and what they leave behind.
    private static let programs = [
        "X-Mailer", "X-Mailer-*", "User-Agent", "X-User-Agent", "X-UserAgent", "Mail-User-Agent",
        "Mail-Client", "X-Mail-Client", "X-Newsreader", "X-MimeOLE", "X-MSMail-*", "X-MUA",
        "X-Mozilla-*", "X-Mozilla", "X-Enigmail-*", "X-Apple-*", "X-Uniform-Type-Identifier",
        "X-Universally-Unique-Identifier", "X-Evolution-*", "X-KMail-*", "X-Operating-System",
        "X-OS", "X-Editor",
    ]
}
