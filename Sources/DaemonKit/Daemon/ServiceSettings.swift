public import Configuration

/// What all daemons' configurations say about the process rather than about mail.
public struct ServiceSettings: Sendable {
    /// Where to listen.
    public let socket: SocketSpec?
    /// The mask for the socket's mode.
    public let mask: UInt32
    /// The group that may connect; nil for none in particular.
    public let socketGroup: String?
    /// Whether the configuration names that group itself.
    let socketGroupIsExplicit: Bool
    /// Whom to become; nil when the configuration does not say.
    public let user: UserSpec?
    /// Where to write the process id.
    public let pidFile: String?
    /// Whether to log through syslog.
    public let usesSyslog: Bool
    /// The syslog facility.
    public let syslogFacility: String
    /// The name before syslog's lines; nil for the program's own.
    public let syslogName: String?

    /// The directives that all daemons have.
    package static func directives(shortName: String) -> [DirectiveSpec] {
        let name = "signet-\(shortName)"
        let isManaged = "systemd, or whatever starts the daemon, does this"
        return [
            DirectiveSpec(
                "Socket", .socket, default: "unix:/var/spool/postfix/signet/\(shortName).sock",
                needsRestart: true, "Where to listen, unless systemd passes a socket"),
            DirectiveSpec(
                "UMask", .mask, default: "007", needsRestart: true,
                "The permissions that the socket and the pid file do not get"),
            DirectiveSpec(
                "SocketGroup", .text, default: "postfix", needsRestart: true,
                "The group that may connect to a unix socket"),
            DirectiveSpec(
                "UserID", .user, needsRestart: true,
                "The user, and group, to become when started as root; \(name) where it exists"),
            DirectiveSpec(
                "PidFile", .path, needsRestart: true, "Where to write the process id"),
            DirectiveSpec(
                "Syslog", .boolean, default: "no", "Log to syslog rather than to standard error"),
            DirectiveSpec(
                "SyslogFacility", .word(SyslogSink.facilities.keys.sorted()), default: "mail",
                "The facility of syslog's lines"),
            DirectiveSpec(
                "SyslogName", .text, default: name, "The name before syslog's lines"),
            DirectiveSpec(
                "SyslogSuccess", .boolean, default: "no", "Log successes too"),
            .noOp("Background", "the daemon always stays in the foreground"),
            .noOp("AutoRestart", isManaged),
            .noOp("AutoRestartCount", isManaged),
            .noOp("AutoRestartRate", isManaged),
            .noOp("EnableCoredumps", "set LimitCORE= in the unit"),
        ]
    }

    /// Reads the common directives.
    init(_ reader: ConfigurationReader) {
        socket = reader.socket("Socket")
        mask = reader.mask("UMask") ?? 0o007
        socketGroup = reader.text("SocketGroup")
        socketGroupIsExplicit = reader.isSet("SocketGroup")
        user = reader.user("UserID")
        pidFile = reader.text("PidFile")
        usesSyslog = reader.boolean("Syslog")
        syslogFacility = reader.text("SyslogFacility") ?? "mail"
        syslogName = reader.text("SyslogName")
    }
}
