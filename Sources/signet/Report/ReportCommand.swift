import ArgumentParser

/// `signet report`: the DMARC reports that the store of signet-dmarc is kept for.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Shows DMARC aggregate reports. This version sends none.",
        subcommands: [ReportPreviewCommand.self])
}
