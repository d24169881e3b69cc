import ArgumentParser
import DaemonKit
import Foundation
import MailAuth
import MailSyntax
import ReportStore
import Reports

/// `signet report preview`: the aggregate reports of a day, and where their records ask for them.
struct ReportPreviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Prints the aggregate reports (RFC 9990) of a day that is over.",
        discussion: """
            Nothing is sent, and destinations outside the domain are not verified. Domains whose record names no address for \
            reports are left out. Exit status 0; 66 if the store cannot be read.
            """)

    @Argument(help: "Only the report about this policy domain.")
    var domain: String?

    @Option(help: ArgumentHelp("The report store of signet-dmarc.", valueName: "path"))
    var store = "/var/lib/signet-dmarc/reports.db"

    @Option(help: ArgumentHelp("A day in UTC; yesterday without it.", valueName: "yyyy-mm-dd"))
    var day: String?

    @Flag(help: "Print the documents alone, one after another.")
    var xml = false

    @Option(help: ArgumentHelp("The organization that reports; this host's name without it."))
    var organization: String?

    @Option(
        help: ArgumentHelp(
            "The organization's address for questions; postmaster of this host without it.",
            valueName: "address"))
    var email: String?

    func validate() throws {
        if let day, ReportDay(day) == nil {
            throw ValidationError("\"\(day)\" is not a day such as 2026-11-18")
        }
        if let email, email.split(separator: "@").count != 2 {
            throw ValidationError("\"\(email)\" is not a mail address")
        }
    }

    func run() throws {
        let wanted = try domain.map { try DomainArgument.parse($0).ascii }
        let today = Int64(Date().timeIntervalSince1970) / 86_400
        let day = day.flatMap(ReportDay.init) ?? ReportDay(number: today - 1)
        let store = SQLiteReportStore(path: store)
        do {
            for policy in try store.policies(on: day.number) {
                guard wanted == nil || wanted == policy.policy.domain,
                    let report = try AggregateReport(
                        policy, day: day.number, from: store, by: reporter)
                else { continue }
                show(report, of: day)
            }
            let others = try store.others(on: day.number)
            if others > 0 {
                complain("\(others) messages of that day are in no report: the store was full")
            }
        } catch let error as SinkError {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        } catch let error as ReportError {
            throw CommandFailure(.noInput, "a report cannot be made: \(error)")
        }
    }

    private var reporter: Reporter {
        let host = HostName.current ?? "localhost"
        let email = email ?? "postmaster@\(host)"
        return Reporter(
            organization: organization ?? host, email: email,
            domain: email.split(separator: "@").last.map(String.init) ?? host,
            generator: "Signet \(Version.current)")
    }

    private func show(_ report: AggregateReport, of day: ReportDay) {
        let addresses = report.addresses.filter { address in
            DMARCReportURI(parsing: Array(address.utf8)[...])?.mailbox != nil
        }
        guard !addresses.isEmpty else { return }
        if xml {
            FileHandle.standardOutput.write(Data(report.document))
            return
        }
        // Past print's buffer, as the documents are, so that the order is that of the calls.
        let text = """
            \(report.identity.policyDomain) \(day): \(report.messages) messages in \(report.records) records
              To: \(addresses.joined(separator: ", "))
              Subject: \(report.identity.subject)
              File: \(report.identity.fileName)

            """
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
