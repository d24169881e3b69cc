import ArgumentParser
import DaemonKit
import DaemonResolver
import Foundation
import MailAuth
import MailDNS
import MailSyntax
import ReportStore
import Reports
import UnboundDNS

/// `signet report send`: makes the aggregate reports of the days that are over, and sends them.
struct ReportSendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Sends the aggregate reports (RFC 9990) of the days that are over.",
        discussion: """
            Needs OrganizationName and ReportEmail. The next run takes up what this one leaves undone. Exit status 0; 66 if the store \
            cannot be used, 69 if no mail can be handed over, 75 if something is put off or another run is under way, 78 if \
            the configuration is missing or wrong.
            """)

    @OptionGroup var options: ReportOptions
    @OptionGroup var dns: ResolverOptions

    @Option(
        help: ArgumentHelp(
            "Only reports about this day in UTC; all days that are due without it.",
            valueName: "yyyy-mm-dd"))
    var day: String?

    @Flag(help: "Print what would be sent, and to whom; send and record nothing.")
    var dryRun = false

    @Flag(
        help: "As the timer runs it: spread over four hours, and silent where nothing is set up.")
    var scheduled = false

    @Option(help: ArgumentHelp("How many mails a minute at most; 0 for no limit.", valueName: "n"))
    var perMinute = 300

    @Option(help: ArgumentHelp("The program that takes the mail.", valueName: "path"))
    var sendmail = "/usr/sbin/sendmail"

    /// Over how many seconds the timer's runs spread the reports of a day.
    private static let spread: Int64 = 4 * 3600
    /// How many days back a run looks for days without reports.
    private static let mostDays: Int64 = 3
    /// For how many days it is remembered at least what was sent.
    private static let shortestMemory = 7

    func validate() throws {
        try CalendarDay.check(day)
        if let day = day.flatMap(CalendarDay.init), day.number >= CalendarDay.today.number {
            throw ValidationError("\(day) is not over yet")
        }
        guard 0...1_000_000 ~= perMinute else {
            throw ValidationError("--per-minute is a number from 0 to 1000000")
        }
    }

    func run() throws {
        let (settings, resolverSettings, _) = try options.settings()
        guard let reporter = Reporter(settings) else {
            let words = "OrganizationName and ReportEmail are not both set: no reports are sent"
            // The timer runs from the day of the installation on.
            guard !scheduled else { return }
            throw CommandFailure(.configuration, words)
        }
        let location = try ReportOptions.location(settings)
        let resolver =
            dns.isGiven
            ? try dns.resolver() : try UnboundResolver(resolverSettings.options)
        let exclusions = ReportExclusions(settings.noReports)
        let store = location.store()
        let outbox: any ReportOutbox
        do {
            outbox = try location.outbox(isReadOnly: dryRun)
        } catch {
            throw CommandFailure(.noInput, "the store cannot be used: \(error)")
        }
        let sender = ReportSender(
            outbox, by: reporter, except: exclusions, resolver: resolver, options: DMARCOptions(),
            handover: SendmailProgram(path: sendmail),
            bounces: dryRun ? nil : try bounces(settings, outbox))
        do {
            if dryRun {
                try show(sender, store, outbox, by: reporter, except: exclusions)
                return
            }
            guard try outbox.claim() else {
                guard !scheduled else { return }
                throw CommandFailure(.tempFail, "another run is under way")
            }
            try compose(
                ReportComposer(from: store, to: outbox, by: reporter, except: exclusions),
                outbox, settings)
        } catch let error as SinkError {
            throw CommandFailure(.noInput, "the store cannot be used: \(error)")
        } catch let error as ReportError {
            throw CommandFailure(.noInput, "the reports cannot be made: \(error)")
        }
        try send(sender)
    }

    private func bounces(
        _ settings: ReportSettings, _ outbox: any ReportOutbox
    ) throws -> BounceAddress? {
        guard let address = settings.bounceAddress else { return nil }
        do {
            return BounceAddress(address, key: try outbox.bounceKey())
        } catch {
            throw CommandFailure(.noInput, "the store cannot be used: \(error)")
        }
    }

    /// The days whose reports are to be made.
    private func days(_ outbox: any ReportOutbox) throws -> ClosedRange<Int64>? {
        if let day = day.flatMap(CalendarDay.init) { return day.number...day.number }
        let yesterday = CalendarDay.today.number - 1
        // Where nothing was ever sent, it begins with yesterday, whatever the store has.
        let first = try outbox.lastDay(before: yesterday + 1).map { last in
            max(last + 1, yesterday - Self.mostDays + 1)
        }
        let begin = first ?? yesterday
        return begin <= yesterday ? begin...yesterday : nil
    }

    private func compose(
        _ composer: ReportComposer, _ outbox: any ReportOutbox, _ settings: ReportSettings
    ) throws {
        let memory = settings.retention.map { max($0, Self.shortestMemory) }
        if let memory { try outbox.forget(before: CalendarDay.today.number - Int64(memory)) }
        // Else days that a clock was ahead by would have no reports when they come.
        try outbox.reopen(from: CalendarDay.today.number)
        guard let days = try days(outbox) else { return }
        for number in days {
            let (made, leftOut) = try composer.compose(
                number, finishes: day == nil, at: Int64(Date().timeIntervalSince1970),
                spreadOver: scheduled ? Self.spread : 0)
            let day = CalendarDay(number: number)
            print("\(day): \(made) reports made")
            if leftOut > 0 { complain("\(day): \(leftOut) reports are too many, and left out") }
        }
    }

    private func send(_ sender: ReportSender) throws {
        let tally: ReportSender.Tally
        do {
            var pace = Pace(perMinute: perMinute)
            tally = try sender.run(
                now: { Int64(Date().timeIntervalSince1970) }, pace: { pace.wait() },
                note: { delivery, state, reason in
                    let line =
                        "\(state.rawValue): \(delivery.domain) \(CalendarDay(number: delivery.day))"
                        + " to \(delivery.address)" + (reason.isEmpty ? "" : ": \(reason)")
                    if !scheduled || state != .sent { print(LogText.safe(line)) }
                })
        } catch {
            throw CommandFailure(.unavailable, "no more reports can be sent now: \(error)")
        }
        if !scheduled || !tally.isEmpty { print(ReportStatusCommand.summary(tally)) }
        if tally[.waiting] ?? 0 > 0, !scheduled {
            throw CommandFailure(.tempFail, "some reports are put off")
        }
    }

    private func show(
        _ sender: ReportSender, _ store: any ReportStore, _ outbox: any ReportOutbox,
        by reporter: Reporter, except exclusions: ReportExclusions
    ) throws {
        for number in try days(outbox).map(Array.init) ?? [] {
            for policy in try store.policies(on: number) {
                let addresses = ReportDestinations.addresses(of: policy.policy)
                guard !addresses.isEmpty else { continue }
                try AggregateReport.each(of: policy, day: number, from: store, by: reporter) {
                    report in
                    print(
                        "\(report.identity.policyDomain) \(CalendarDay(number: number)):",
                        report.size)
                    for address in addresses {
                        print("  \(describe(address, policy.policy.domain, sender, exclusions))")
                    }
                }
            }
        }
    }

    private func describe(
        _ address: DMARCReportURI, _ domain: String, _ sender: ReportSender,
        _ exclusions: ReportExclusions
    ) -> String {
        if exclusions.contains(domain, address) { return "not to \(address.text): NoReports" }
        switch sender.destination(of: address, about: domain) {
        case .authorized(let target): return "to \(target.text)"
        case .refused(let reason): return "not to \(address.text): \(reason)"
        case .undecided(let reason): return "later to \(address.text): \(reason)"
        }
    }
}

/// At most so many a minute, evenly.
private struct Pace {
    private let interval: TimeInterval
    private var next = Date.distantPast

    init(perMinute: Int) { interval = perMinute == 0 ? 0 : 60 / Double(perMinute) }

    mutating func wait() {
        guard interval > 0 else { return }
        let rest = next.timeIntervalSinceNow
        if rest > 0 { Thread.sleep(forTimeInterval: min(rest, interval)) }
        next = Date().addingTimeInterval(interval)
    }
}
