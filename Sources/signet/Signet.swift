import ArgumentParser
import DaemonKit

/// The administrator's command.
@main
struct Signet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet",
        abstract: "Setup, keys, checks and reports of mail authentication.",
        discussion: "signet(1) describes each command, its output and its exit statuses.",
        version: "signet \(Version.current)",
        subcommands: [
            KeyCommand.self, CheckCommand.self, SignCommand.self, VerifyCommand.self,
            ScrubCommand.self, SPFCommand.self,
            ReportCommand.self, PostfixCommand.self, SetupCommand.self, DoctorCommand.self,
            MigrateCommand.self, ExplainCommand.self, WhyCommand.self, MetricsCommand.self,
        ])

    /// Runs the command; a failure of ours ends it with its own status, all others as the parser would.
    static func main() {
        let parsed: any ParsableCommand
        do {
            parsed = try parseAsRoot()
        } catch {
            let words = Array(CommandLine.arguments.dropFirst())
            guard let (command, group) = unknownCommand(words) else { exit(withError: error) }
            complain("there is no command \"\(command)\"; try \(group) --help")
            exit(withError: ArgumentParser.ExitCode.validationFailure)
        }
        do {
            try run(parsed)
        } catch let failure as CommandFailure {
            complain(failure.description)
            exit(withError: ArgumentParser.ExitCode(failure.status.rawValue))
        } catch let error as ValidationError {
            // The parser would show the usage of `signet` itself.
            complain("\(error.message)\nUsage: \(usageString(for: type(of: parsed)))")
            exit(withError: ArgumentParser.ExitCode.validationFailure)
        } catch {
            exit(withError: error)
        }
    }

    /// The command that the words name and that does not exist, and the group that it would be in; nil where they name one.
    private static func unknownCommand(_ words: [String]) -> (command: String, group: String)? {
        var known: any ParsableCommand.Type = Self.self
        var path = "signet"
        for word in words {
            let commands = known.configuration.subcommands
            // The parser has a command of its own, "signet help".
            let isHelp = word == "help" && known == Self.self
            if commands.isEmpty || word.hasPrefix("-") || isHelp { return nil }
            guard let next = commands.first(where: { $0._commandName == word }) else {
                return ("\(path) \(word)", path)
            }
            known = next
            path += " \(word)"
        }
        return nil
    }

    /// Runs the command; whatever it came to, output that could not be written, as on a full disk, is a failure (status 74).
    private static func run(_ parsed: any ParsableCommand) throws {
        var command = parsed
        let result = Result { try command.run() }
        guard StandardOutput.flush() else { throw StandardOutput.failure }
        try result.get()
    }
}
