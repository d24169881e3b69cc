public import Configuration

/// What one of the daemons is called, knows and speaks: all that the common driver must be told.
public struct DaemonDescription: Sendable {
    /// The program's name, such as `signet-dkim`; also its system user and its name in syslog.
    public let name: String
    /// The program's version.
    public let version: String
    /// What it does, in one line.
    public let summary: String
    /// The configuration that is read when the command line names none.
    public let configurationFile: String
    /// All directives it knows: the common ones and its own.
    public let schema: ConfigurationSchema
    /// The options that it has beyond the common ones.
    public let extraOptions: Set<ExtraOption>

    /// Options that only some daemons have, as their peers do.
    public enum ExtraOption: Hashable, Sendable {
        /// `-c FILE` names the configuration too.
        case configurationAsC
        /// A bare operand names the configuration too.
        case configurationAsOperand
        /// `--stdio`: one client on standard input and output, as spawn(8) starts programs.
        case standardIO
        /// `--replay`: decisions of a record on standard input are taken again.
        case replay
    }

    /// Describes a daemon; `directives` are those beyond the common ones, and may restate some of them.
    ///
    /// The short name (`dkim` in `signet-dkim`) gives the configuration file, the socket and the user.
    public init(
        shortName: String, version: String, summary: String, directives: [DirectiveSpec],
        tolerance: FaultTolerance? = nil, extraOptions: Set<ExtraOption> = []
    ) {
        name = "signet-\(shortName)"
        self.version = version
        self.summary = summary
        configurationFile = "/etc/signet/\(shortName).conf"
        schema = ConfigurationSchema(
            ServiceSettings.directives(shortName: shortName) + directives, tolerance: tolerance)
        self.extraOptions = extraOptions
    }
}
