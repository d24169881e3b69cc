import ArgumentParser
import Configuration
import DaemonKit
import Foundation
import Glibc
import MailSyntax
import ReportReading
import ReportStore
import Reports

/// `signet report import`: takes reports that others have sent.
struct ReportImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes DMARC aggregate and failure reports and SMTP TLS reports.",
        discussion: """
            Reads mails and files: plain, gzip or zip, whatever their names say; folders, Maildirs and mboxes; standard input without \
            a name. What cannot be read, and what is about domains of others, is kept aside with its reason. Everything is on the \
            disk when the command ends. Exit status 0 if everything was taken or is there already, 65 if something could not be \
            read and was kept aside, 66 if a file cannot be opened, 75 if the store cannot be written, 78 if it is not known which \
            domains are ours. As a delivery, by an alias or with --delivery, it ends with 0 or 75 alone, so that nothing bounces.
            """)

    @OptionGroup var options: ReceivedOptions

    @Option(
        help: ArgumentHelp(
            "Domains whose reports count, subdomains included; those that signet-dkim signs for without it.",
            valueName: "list"))
    var domains: String?

    @Flag(help: "Count reports about any domain.")
    var anyDomain = false

    @Option(
        help: ArgumentHelp(
            "Count only mails for which an Authentication-Results field of one of these services says that DMARC passed.",
            valueName: "list"))
    var authservID: String?

    @Flag(help: "Remove each file once what is in it is on the disk; mboxes stay.")
    var remove = false

    @Option(
        help: ArgumentHelp(
            "Forget reports about days that are longer ago than this; keep all without it.",
            valueName: "days"))
    var keep: Int?

    @Option(
        help: ArgumentHelp(
            "How large the store may become: a number of octets, or one with M or G; the oldest days are forgotten.",
            valueName: "size"))
    var limit = "1G"

    @Flag(help: "Print the domains whose reports count, and stop.")
    var listDomains = false

    @Flag(help: "Print JSON: what became of each report.")
    var json = false

    @Flag(help: "As a delivery agent of Postfix calls it: nothing is printed, and nothing bounces.")
    var delivery = false

    @Argument(help: "Files, folders, Maildirs and mboxes; - for standard input.")
    var files: [String] = []

    func validate() throws {
        guard !anyDomain || domains == nil else {
            throw ValidationError("--any-domain excludes --domains")
        }
        if let authservID, Self.names(authservID).isEmpty {
            throw ValidationError("--authserv-id names no service")
        }
        if let keep, !(1...36_500).contains(keep) {
            throw ValidationError("--keep is a number of days from 1 to 36500")
        }
        guard SizeArgument.octets(limit) != nil else {
            throw ValidationError("--limit is a size from 1M to 1024G")
        }
        if files.isEmpty, !listDomains, isatty(STDIN_FILENO) == 1 {
            throw ValidationError("name files, or give a mail on standard input")
        }
    }

    func run() throws {
        if listDomains {
            for name in try ownDomains().list { print(name) }
            return
        }
        let isDelivery = delivery || isCalledByAlias
        do {
            try importAll(isDelivery: isDelivery)
        } catch let failure where isDelivery && !(failure is ArgumentParser.ExitCode) {
            // Any other status would make Postfix send the report back.
            throw CommandFailure(.tempFail, "\(failure)")
        }
    }

    /// Whether local(8) of Postfix has called it for an alias: it sets these.
    private var isCalledByAlias: Bool {
        let environment = ProcessInfo.processInfo.environment
        return files.isEmpty
            && ["LOCAL", "RECIPIENT", "SENDER"].allSatisfy { environment[$0] != nil }
    }

    private func importAll(isDelivery: Bool) throws {
        let limits = ReadingLimits()
        let location = try options.location()
        let domains = try ownDomains()
        var outcomes: [ReportImporter.Outcome] = []
        let store = try store(location)
        var firstReason: String?
        let importer = ReportImporter(
            store, of: domains, aside: options.keptAside(location),
            limits: limits, sent: authservID.map { MailAuthentication(Self.names($0)) },
            storeLimit: SizeArgument.octets(limit) ?? ReceivedReportStore.defaultLimit,
            removes: remove, at: Int64(Date().timeIntervalSince1970)
        ) { outcome in
            if firstReason == nil, !outcome.kept.isEmpty {
                firstReason =
                    outcome.refusal?.reason
                    ?? ReportImporter.foreignReason(outcome.report?.domain ?? "")
            }
            if json {
                var outcome = outcome
                // The rows are in the store, and would be many.
                outcome.report?.counts = []
                outcome.report?.verdicts = []
                outcomes.append(outcome)
            } else if !isDelivery {
                show(outcome)
            }
        }
        var missing: CommandFailure?
        do {
            let source = ImportSource(limit: limits.message, isDelivery: isDelivery)
            try source.each(of: files.isEmpty ? ["-"] : files) { try importer.take($0) }
        } catch let failure as CommandFailure where failure.status == .noInput {
            missing = failure
        }
        try importer.finish()
        try forget(in: store)
        let tally = importer.tally
        if json {
            print(
                try JSONOutput.text(of: ImportJSON(tally, outcomes, forgotten: importer.forgotten)))
        } else if !isDelivery {
            print(Self.summary(tally))
        } else if !files.isEmpty, let firstReason {
            // Of a unit the journal has it; what a command of an alias says is nobody's to read.
            let count = (tally[.refused] ?? 0) + (tally[.foreign] ?? 0)
            complain("kept aside: \(count); the first: \(LogText.safe(firstReason))")
        }
        if let missing {
            let status: DaemonKit.ExitCode = isDelivery ? .tempFail : missing.status
            throw ExitCode(status.rawValue)
        }
        if tally[.refused] ?? 0 > 0, !isDelivery {
            throw ExitCode(DaemonKit.ExitCode.dataError.rawValue)
        }
    }

    private func store(_ location: StoreLocation) throws -> ReceivedReportStore {
        do {
            return try ReceivedReportStore(location)
        } catch {
            throw CommandFailure(.tempFail, "the store cannot be opened: \(error)")
        }
    }

    private func forget(in store: ReceivedReportStore) throws {
        guard let keep else { return }
        do {
            try store.forget(before: CalendarDay.today.number - Int64(keep))
        } catch {
            throw CommandFailure(.tempFail, "old reports cannot be forgotten: \(error)")
        }
    }

    private static func names(_ list: String) -> [String] {
        list.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
    }

    private func ownDomains() throws -> OwnDomains {
        if anyDomain { return .any }
        if let domains {
            return OwnDomains(try Self.names(domains).map { try DomainArgument.parse($0) })
        }
        // The list that is printed becomes the file: a domain that has gone is to leave it.
        let learnt = listDomains ? OwnDomains.learnt(found: nil) : OwnDomains.learnt()
        guard let learnt else {
            throw CommandFailure(
                .configuration,
                "which domains are ours? /etc/signet/dkim.conf names none: give --domains LIST or --any-domain"
            )
        }
        return learnt
    }

    private func show(_ outcome: ReportImporter.Outcome) {
        let terminal = Terminal.standardOutput
        var lines: [String]
        if let report = outcome.report {
            let what = "\(report.kind.rawValue) report \(report.id) of \(report.reporter)"
            let count =
                report.kind == .tls ? "\(report.messages) sessions" : "\(report.messages) messages"
            let text = "\(what) about \(report.domain): \(report.records) records, \(count)"
            lines = ["\(outcome.status.rawValue): \(text)"]
            if outcome.status == .imported { lines += report.notes.map { "    note: \($0)" } }
        } else {
            let reason = outcome.refusal?.reason ?? ""
            lines = ["\(outcome.status.rawValue): \(outcome.origin): \(reason)"]
            lines += outcome.refusal?.notes.map { "    note: \($0)" } ?? []
        }
        if !outcome.kept.isEmpty { lines.append("    kept aside as \(outcome.kept)") }
        let isBad = outcome.status == .refused
        for (number, line) in lines.enumerated() {
            let safe = LogText.safe(line)
            print(number == 0 && isBad ? terminal.coloured(safe, .red) : safe)
        }
    }

    /// A line with the number of reports of each status.
    static func summary(_ tally: [ReportImporter.Status: Int]) -> String {
        ReportImporter.Status.allCases.map { "\($0.rawValue) \(tally[$0] ?? 0)" }
            .joined(separator: ", ")
    }
}

/// What an import came to.
private struct ImportJSON: Encodable {
    let imported: Int
    let duplicate: Int
    let refused: Int
    let foreign: Int
    let forgotten: Int64
    let reports: [Item]

    struct Item: Encodable {
        let kind: String?
        let status: String
        let reporter: String?
        let id: String?
        let domain: String?
        let begin: Int64?
        let end: Int64?
        let rows: Int
        let messages: Int64
        let notes: [String]
        let reason: String?
        let file: String
        let kept: String?

        private enum CodingKeys: String, CodingKey {
            case kind, status, reporter, id, domain, begin, end, rows, messages, notes, reason
            case file, kept
        }

        /// Every key is there, null where nothing is known.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(kind, forKey: .kind)
            try container.encode(status, forKey: .status)
            try container.encode(reporter, forKey: .reporter)
            try container.encode(id, forKey: .id)
            try container.encode(domain, forKey: .domain)
            try container.encode(begin, forKey: .begin)
            try container.encode(end, forKey: .end)
            try container.encode(rows, forKey: .rows)
            try container.encode(messages, forKey: .messages)
            try container.encode(notes, forKey: .notes)
            try container.encode(reason, forKey: .reason)
            try container.encode(file, forKey: .file)
            try container.encode(kept, forKey: .kept)
        }
    }

    init(
        _ tally: [ReportImporter.Status: Int], _ outcomes: [ReportImporter.Outcome],
        forgotten: Int64
    ) {
        self.forgotten = forgotten
        imported = tally[.imported] ?? 0
        duplicate = tally[.duplicate] ?? 0
        refused = tally[.refused] ?? 0
        foreign = tally[.foreign] ?? 0
        reports = outcomes.map { outcome in
            let (report, refusal) = (outcome.report, outcome.refusal)
            func known(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
            return Item(
                kind: (report?.kind ?? refusal?.kind)?.rawValue, status: outcome.status.rawValue,
                reporter: known(report?.reporter ?? refusal?.reporter),
                id: known(report?.id ?? refusal?.id),
                domain: known(report?.domain ?? refusal?.domain), begin: report?.begin,
                end: report?.end, rows: report?.records ?? 0, messages: report?.messages ?? 0,
                notes: report?.notes ?? refusal?.notes ?? [],
                reason: outcome.status == .foreign
                    ? ReportImporter.foreignReason(report?.domain ?? "") : refusal?.reason,
                file: outcome.origin, kept: known(outcome.kept))
        }
    }
}
