import ArgumentParser

/// Everything about DKIM keys.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Makes, lists and rotates DKIM keys.",
        subcommands: [
            KeyNew.self, KeyShow.self, KeyCheck.self, KeyList.self, KeyStatus.self,
            KeyRotate.self, KeyRetire.self, KeyRevoke.self, KeySync.self,
        ])
}
