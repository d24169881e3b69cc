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
        discussion: "Exit status 0; 1 if there is no such report; 66 if the store cannot be read.")

    @Argument(help: "A Report-ID, or the name under which something is kept aside.")
    var id: String

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
    }

    func run() throws {
        let store = try options.opened()
        let found: ([StoredReport], [ReceivedRefusal])
        do {
            found = try store.find(id: id)
        } catch {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
        let items =
            found.0.map { stored in
                Item(
                    status: "imported", kind: stored.report.kind.rawValue,
                    reporter: stored.report.reporter, id: stored.report.id,
                    domain: stored.report.domain, reason: nil, notes: stored.report.notes,
                    kept: nil)
            }
            + found.1.map { refusal in
                Item(
                    status: refusal.isForeign ? "foreign" : "refused",
                    kind: refusal.kind?.rawValue ?? "", reporter: refusal.reporter,
                    id: refusal.id, domain: refusal.domain, reason: refusal.reason,
                    notes: refusal.notes, kept: refusal.kept)
            }
        guard !items.isEmpty else {
            complain("there is no report \(id)")
            throw ExitCode(1)
        }
        if json {
            print(try JSONOutput.list(of: items))
            return
        }
        for item in items { show(item) }
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
        if let kept = item.kept, !kept.isEmpty { line("kept aside as \(kept)", "  ") }
    }
}
