public import DaemonKit

/// Every directive that signet-scrub knows, for the daemon and for the command that shows what it would do.
public enum ScrubDirectives {
    /// What the daemon is called, knows and speaks.
    public static let description = DaemonDescription(
        shortName: "scrub", version: Version.current,
        summary: "takes what gives users away out of submitted mail, as a milter",
        directives: traffic + ScrubPolicy.directives)

    /// The directives about whose mail is scrubbed.
    private static let traffic: [DirectiveSpec] = [
        DirectiveSpec(
            "InternalHosts", .dataSet,
            "Clients whose mail is scrubbed although they do not log in; none by default."),
        DirectiveSpec(
            "MTA", .dataSet,
            "Names of the MTA's listeners ({daemon_name}) whose mail is scrubbed."),
        DirectiveSpec(
            "MacroList", .dataSet,
            "MTA macros, NAME or NAME=value|value, that mark mail to be scrubbed."),
        DirectiveSpec(
            "PostfixDirectory", .path, default: "/etc/postfix",
            "Where main.cf and master.cf are, which are searched for a signer in front of us."),
    ]
}
