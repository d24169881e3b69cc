import ArgumentParser
import DaemonKit

/// The administrator's command.
@main
struct Signet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signet",
        abstract: "Keys and checks for Signet's mail authentication.",
        discussion: "signet(1) describes each command, its output and its exit statuses.",
        version: "signet \(Version.current)",
        subcommands: [KeyCommand.self])
}
