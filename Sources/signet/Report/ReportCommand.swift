import ArgumentParser

/// `signet report`: the DMARC reports that the store of signet-dmarc is kept for.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Shows and sends DMARC aggregate reports.",
        subcommands: [
            ReportPreviewCommand.self, ReportSendCommand.self, ReportStatusCommand.self,
        ])
}
