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
            Nothing is sent, and destinations outside the domain are not verified. Domains whose record names no mail address \
            for reports are left out. Exit status 0; 66 if the store cannot be read.
            """)

    @Argument(help: "Only the report about this policy domain.")
    var domain: String?

    @OptionGroup var options: ReportOptions

    @Option(help: ArgumentHelp("A day in UTC; yesterday without it.", valueName: "yyyy-mm-dd"))
    var day: String?

    @Flag(help: "Print the documents alone, one after another.")
    var xml = false

    func validate() throws { try CalendarDay.check(day) }

    func run() throws {
        let wanted = try domain.map { try DomainArgument.parse($0).ascii }
        let day = CalendarDay.wanted(day)
        let settings = try options.settings().reports
        let store = try ReportOptions.location(settings).store()
        let reporter = Reporter(settings) ?? host(settings)
        do {
            let policies = try store.policies(on: day.number)
            let chosen = policies.filter { wanted == nil || wanted == $0.policy.domain }
            var isEmpty = true
            for policy in chosen {
                let addresses = ReportDestinations.addresses(of: policy.policy).map(\.text)
                guard !addresses.isEmpty else { continue }
                isEmpty = false
                var fault: (any Error)?
                try AggregateReport.each(
                    of: policy, day: day.number, from: store, by: reporter
                ) { report in
                    do { try show(report, to: addresses, of: day) } catch { fault = error }
                }
                if let fault { throw fault }
            }
            if isEmpty { complain(Self.explanation(chosen.isEmpty, of: wanted, on: day)) }
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

    /// Why there is no report.
    private static func explanation(
        _ nothingCounted: Bool, of domain: String?, on day: CalendarDay
    ) -> String {
        guard nothingCounted else {
            return domain.map {
                "\($0): its DMARC record of \(day) names no mail address for reports"
            }
                ?? "no DMARC record of \(day) names a mail address for reports"
        }
        let policy = domain.map { " under the policy of \($0)" } ?? ""
        return "no message was counted on \(day)\(policy)"
    }

    /// This host, as far as nothing else is said.
    private func host(_ settings: ReportSettings) -> Reporter {
        let host = HostName.current ?? "localhost"
        let email = settings.email
        return Reporter(
            organization: settings.organization ?? host, email: email?.text ?? "postmaster@\(host)",
            domain: email?.domain?.ascii ?? host, generator: "Signet \(Version.current)")
    }

    private func show(_ report: AggregateReport, to addresses: [String], of day: CalendarDay) throws
    {
        if xml {
            try StandardOutput.pass(report.document)
            return
        }
        print(
            """
            \(report.identity.policyDomain) \(day): \(report.size)
              To: \(addresses.joined(separator: ", "))
              Subject: \(report.identity.subject)
              File: \(report.identity.fileName)
            """)
    }
}

extension AggregateReport {
    /// How large it is, in words.
    var size: String {
        func counted(_ count: some BinaryInteger, _ noun: String) -> String {
            "\(count) \(noun)\(count == 1 ? "" : "s")"
        }
        return "\(counted(messages, "message")) in \(counted(records, "record"))"
    }
}

extension CalendarDay {
    /// Refuses what is no day.
    static func check(_ text: String?) throws {
        if let text, CalendarDay(text) == nil {
            throw ValidationError("\"\(text)\" is not a day such as 2026-11-18")
        }
    }

    /// Today in UTC.
    static var today: CalendarDay {
        CalendarDay(number: Int64(Date().timeIntervalSince1970) / 86_400)
    }

    /// The day of an argument; yesterday without one.
    static func wanted(_ text: String?) -> CalendarDay {
        text.flatMap(CalendarDay.init) ?? CalendarDay(number: today.number - 1)
    }
}
