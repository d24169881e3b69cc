public import Configuration

/// One of the daemons, as the common driver sees it.
///
/// A program declares what it is, builds its settings from a configuration, and serves. Mark the conforming type `@main`: the driver
/// does the rest, from the command line to the exit status.
public protocol DaemonProgram: SendableMetatype {
    /// Everything that a configuration makes: immutable, replaced as a whole by a reload.
    associatedtype Settings: Sendable

    /// Name, directives, options.
    static var description: DaemonDescription { get }

    /// Builds the settings; what is wrong is reported to the reader, and nil returned when nothing can be built.
    ///
    /// Runs as the user that the daemon becomes, at start and at every reload, and reads every file that the settings need.
    static func load(_ reader: ConfigurationReader) -> Settings?

    /// What a daemon with these settings does, in a few words for `systemctl status`.
    static func summary(of settings: Settings) -> String

    /// The files that a daemon with these settings writes, for `-n` to check.
    static func writtenFiles(_ settings: Settings) -> [WrittenFile]

    /// Looks, for `-n` alone, at what a start does without: what is found is reported to the reader.
    static func check(_ settings: Settings, _ reader: ConfigurationReader)

    /// Serves until asked to stop and the last client is done.
    static func serve(_ context: DaemonContext<Settings>) -> ExitCode

    /// Evaluates the messages in files, for `-t`, and writes what it finds to standard output.
    static func evaluate(
        files: [String], settings: Settings, verbosity: Int, log: Log
    ) -> ExitCode

    /// Takes decisions of a record again, for `--replay`.
    ///
    /// - Parameters:
    ///   - input: entries of the record.
    ///   - settings: the configuration under which to decide.
    ///   - log: where lines go.
    /// - Returns: the entries that would be written now; nil where nothing can be decided.
    static func replay(_ input: [UInt8], settings: Settings, log: Log) -> [UInt8]?
}

extension DaemonProgram {
    /// Nothing more than that it runs.
    public static func summary(of settings: Settings) -> String { "running" }

    /// None.
    public static func writtenFiles(_ settings: Settings) -> [WrittenFile] { [] }

    /// Nothing.
    public static func check(_ settings: Settings, _ reader: ConfigurationReader) {}

    /// Cannot.
    public static func replay(_ input: [UInt8], settings: Settings, log: Log) -> [UInt8]? { nil }

    /// Runs the daemon.
    public static func main() {
        Daemon<Self>(arguments: CommandLine.arguments).run()
    }
}
