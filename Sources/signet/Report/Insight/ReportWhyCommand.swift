import ArgumentParser
import DaemonKit
import Foundation
import ReportStore
import Reports

/// `signet report why`: what was wrong with a report.
struct ReportWhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Says what was wrong with a report that was imported or kept aside.",
        discussion: """
            Without a name, all that is kept aside, the newest first. Exit status 0; 1 if there is no such report; 66 if the store \
            cannot be read.
            """)

    @Argument(
        help:
            "A Report-ID, the name under which something is kept aside, or the name of the file that it was in."
    )
    var id: String?

    @OptionGroup var options: ReceivedOptions

    @Flag(help: "Print a JSON array.")
    var json = false

    private struct Item: Encodable {
        let status: String
        let kind: String
        let reporter: String
        let id: String
        let domain: String
        let reason: String?
        let notes: [String]
        let kept: String?
        /// When it was kept aside, in seconds since 1970.
        let received: Int64?
    }

    func run() throws {
        let found: (reports: [StoredReport], refusals: [ReceivedRefusal])
        do {
            found = try id.map { try find($0) } ?? ([], try all())
        } catch let error as SinkError {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
        let items =
            found.reports.map { stored in
                Item(
                    status: "imported", kind: stored.report.kind.rawValue,
                    reporter: stored.report.reporter, id: stored.report.id,
                    domain: stored.report.domain, reason: nil, notes: stored.report.notes,
                    kept: nil, received: nil)
            }
            + found.refusals.map { refusal in
                Item(
                    status: refusal.isForeign ? "foreign" : "refused",
                    kind: refusal.kind?.rawValue ?? "", reporter: refusal.reporter,
                    id: refusal.id, domain: refusal.domain, reason: refusal.reason,
                    notes: refusal.notes, kept: refusal.kept,
                    received: refusal.received)
            }
        if let id, items.isEmpty {
            complain(
                "there is no report \(LogText.safe(id)), and nothing of that name is kept aside")
            throw ExitCode(1)
        }
        if json {
            print(try JSONOutput.list(of: items))
            return
        }
        if items.isEmpty { print("Nothing is kept aside.") }
        for item in items { show(item) }
    }

    /// All that is kept aside, the newest first.
    private func all() throws -> [ReceivedRefusal] {
        let store = try options.opened()
        return try options.stillThere(
            store.refusals(since: 0, atMost: ReceivedReportStore.refusalLimit))
    }

    /// What has a Report-ID or a name.
    private func find(_ id: String) throws -> ([StoredReport], [ReceivedRefusal]) {
        let store = try options.opened()
        let found = try store.find(id: id)
        guard found.0.isEmpty, found.1.isEmpty else { return found }
        // A file of the folder, or the one that was read at first.
        let base = id.split(separator: "/").last.map(String.init) ?? id
        let name = [".eml", ".reason"].first { base.hasSuffix($0) }
            .map { String(base.dropLast($0.count)) }
        if let name {
            let kept = try store.find(id: name)
            if !kept.1.isEmpty { return ([], kept.1) }
        }
        let aside = options.keptAside(try options.location())
        return ([], try aside.names(ofFile: id).flatMap { try store.find(id: $0).1 })
    }

    private func day(_ item: Item) -> String {
        item.received.map { " on \(CalendarDay(number: $0 / 86_400))" } ?? ""
    }

    private func show(_ item: Item) {
        let terminal = Terminal.standardOutput
        func line(_ text: String, _ label: String) {
            for line in terminal.wrapped(LogText.safe(text), label: label, labelWidth: label.count)
            {
                print(line)
            }
        }
        let kind = item.kind.isEmpty ? "something" : "\(item.kind) report"
        let who = item.reporter.isEmpty ? "" : " of \(item.reporter)"
        let about = item.domain.isEmpty ? "" : " about \(item.domain)"
        line("\(kind)\(who)\(about): \(item.reason ?? "read and counted")", "\(item.status): ")
        if item.notes.isEmpty, item.reason == nil { print("  nothing was wrong with it") }
        for note in item.notes { line(note, "  - ") }
        if let kept = item.kept, !kept.isEmpty { line("kept aside\(day(item)) as \(kept)", "  ") }
    }
}
