import ArgumentParser

/// Everything about DKIM keys.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Makes DKIM keys and shows what to publish.",
        subcommands: [KeyNew.self, KeyShow.self, KeyCheck.self])
}
