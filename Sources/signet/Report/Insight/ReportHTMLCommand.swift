import ArgumentParser
import DaemonKit
import Foundation
import Glibc
import ReportInsight

/// `signet report html`: what the received reports say, as one page.
struct ReportHTMLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "html",
        abstract: "Writes what received reports say as one HTML page.",
        discussion: """
            The page needs nothing from elsewhere and runs no script. Exit status 0; 66 if the store cannot be read, 73 if the page \
            cannot be written.
            """)

    @OptionGroup var options: InsightOptions

    @Argument(help: "The file; - for standard output.")
    var out: String

    func run() throws {
        let page = InsightPage(try options.insight()).html()
        guard out != "-" else {
            try StandardOutput.pass(page.utf8)
            return
        }
        do {
            // Beside the file first, so that nobody sees half a page.
            try Data(page.utf8).write(to: URL(filePath: out), options: .atomic)
        } catch {
            throw CommandFailure(.cannotCreate, "\(out) cannot be written")
        }
    }
}
