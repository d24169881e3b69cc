public import Configuration

/// Every directive that signet-scrub knows, for the daemon and for the command that shows what it would do.
public enum ScrubDirectives {
    /// The directives, without those that all daemons have.
    public static let all: [DirectiveSpec] =
        [MilterTransport.directive] + traffic + ScrubPolicy.directives

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
        MilterLists.directive,
    ]
}
