import ArgumentParser
import DaemonKit
import DaemonResolver
import FailureReports
import Foundation
import MailAuth
import MailDNS
import ReportStore
import Reports
import UnboundDNS

/// `signet report failures`: hands the failure reports over that signet-dmarc has made.
struct ReportFailuresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failures",
        abstract: "Sends the failure reports (RFC 9991) that signet-dmarc has made.",
        discussion: """
            A unit of signet-dmarc runs it when there is one. What cannot be sent now waits for the next run, for a day. \
            Exit status 0; 66 if the folder cannot be used, 69 if no mail can be handed over, 75 if something is put off or \
            another run is under way, 78 if the configuration is wrong.
            """)

    @OptionGroup var options: ReportOptions
    @OptionGroup var dns: ResolverOptions

    @Option(
        help: ArgumentHelp("The folder, in place of FailureReportsDirectory.", valueName: "path"))
    var directory: String?

    @Flag(help: "As the units run it: silent where nothing is to be done.")
    var scheduled = false

    @Option(help: ArgumentHelp("The program that takes the mail.", valueName: "path"))
    var sendmail = "/usr/sbin/sendmail"

    func run() throws {
        let (reports, resolverSettings, failures) = try options.settings()
        let path = directory ?? failures.directory
        if scheduled, unsafe access(path, F_OK) != 0 { return }
        let spool = FailureSpool(path: path)
        var tally: [DeliveryState: Int] = [:]
        do {
            guard let claim = try spool.claim() else {
                guard !scheduled else { return }
                throw CommandFailure(.tempFail, "another run is under way")
            }
            try withExtendedLifetime(claim) {
                guard try !spool.waiting().isEmpty else { return }
                let resolver =
                    dns.isGiven
                    ? try dns.resolver() : try UnboundResolver(resolverSettings.options)
                let sender = FailureReportSender(
                    spool, except: ReportExclusions(reports.noReports),
                    outbox: try? reports.store?.outbox(isReadOnly: true), resolver: resolver,
                    options: DMARCOptions(), handover: SendmailProgram(path: sendmail))
                tally = try sender.run(
                    now: { Int64(Date().timeIntervalSince1970) },
                    note: { report, address, state, reason in
                        guard !scheduled || state != .sent else { return }
                        let domain = report.policyDomain.map { "\($0) " } ?? ""
                        let why = reason.isEmpty ? "" : ": \(reason)"
                        print(LogText.safe("\(state.rawValue): \(domain)to \(address)\(why)"))
                    })
            }
        } catch let error as FailureSpoolError {
            throw CommandFailure(.noInput, "the folder of failure reports cannot be used: \(error)")
        } catch let error as ReportError {
            throw CommandFailure(.unavailable, "no more reports can be sent now: \(error)")
        }
        if !scheduled || !tally.isEmpty { print(ReportStatusCommand.summary(tally)) }
        if tally[.waiting] ?? 0 > 0, !scheduled {
            throw CommandFailure(.tempFail, "some reports are put off")
        }
    }
}
