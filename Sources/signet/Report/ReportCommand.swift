import ArgumentParser

/// `signet report`: the DMARC reports that the store of signet-dmarc is kept for.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Sends DMARC reports, and takes and explains those of others.",
        subcommands: [
            ReportPreviewCommand.self, ReportSendCommand.self, ReportStatusCommand.self,
            ReportImportCommand.self, ReportShowCommand.self, ReportAdviseCommand.self,
            ReportWhyCommand.self, ReportHTMLCommand.self, ReportMailCommand.self,
            ReportFailuresCommand.self, ReportBounceCommand.self,
        ])
}
