import ArgumentParser
import DaemonKit
import Migration
import Setup

/// `signet migrate --shadow`: first the configuration, then the lines for Postfix, and from then on the differences.
struct ShadowRun {
    let tree: FileTree
    let plan: MigrationPlan
    let isDryRun: Bool
    let json: Bool

    private struct Document: Encodable {
        let written: Bool
        let changes: [String]
        let commands: [String]
        let notes: [String]
        let obstacles: [String]
        let refusals: [String]
        let compared: [ShadowReport.Comparison]
        let differences: [ShadowReport.Difference]
    }

    func run() throws {
        let shadow = try ShadowPlan(tree, peers: plan.peers)
        let obstacles = plan.obstacles.isEmpty ? shadow.obstacles : plan.obstacles
        let isWritten = !isDryRun && obstacles.isEmpty && !plan.changes.isEmpty
        if isWritten {
            try Transactions(in: tree).apply(plan.changes, directories: plan.directories)
        }
        let refusals = isWritten ? HostServices(tree: tree).refusals(plan.daemons) : []
        let isRunning = obstacles.isEmpty && plan.changes.isEmpty && shadow.commands.isEmpty
        let report = isRunning ? ShadowReport(tree, shadow.daemons) : nil
        if json {
            let document = Document(
                written: isWritten, changes: plan.changes.map(\.path), commands: shadow.commands,
                notes: shadow.notes, obstacles: obstacles, refusals: refusals,
                compared: report?.compared ?? [], differences: report?.differences ?? [])
            print(try JSONOutput.text(of: document))
        } else {
            let terminal = Terminal.standardOutput
            let lines =
                report.map { $0.lines(terminal) + notes(shadow, terminal) }
                ?? (refusals.isEmpty
                    ? steps(shadow, obstacles, isWritten, terminal)
                    : ["What was written is refused. Mend it there, and run this again:"]
                        + MigrationOutput.refusalLines(refusals, terminal))
            for line in lines { print(line) }
        }
        if !(obstacles + refusals).isEmpty {
            throw ExitCode(DaemonKit.ExitCode.configuration.rawValue)
        }
    }

    private func notes(_ shadow: ShadowPlan, _ terminal: Terminal) -> [String] {
        ["", "next: signet migrate --finish, when nothing is left that matters", ""]
            + shadow.notes.flatMap { terminal.wrapped($0, label: "note", labelWidth: 7) }
    }

    /// What was written, and what is left to do.
    private func steps(
        _ shadow: ShadowPlan, _ obstacles: [String], _ isWritten: Bool, _ terminal: Terminal
    ) -> [String] {
        guard obstacles.isEmpty else {
            return ["Nothing can be compared yet."]
                + obstacles.flatMap { terminal.wrapped($0, label: "first", labelWidth: 7) }
        }
        let count = plan.changes.count
        var lines = [
            isWritten
                ? MigrationOutput.count(count, isWritten: true)
                    + ": the daemons compare, and change nothing."
                : count > 0
                    ? MigrationOutput.count(count, isWritten: false) + "."
                    : "The daemons are set to compare."
        ]
        if count > 0 { lines.append("") }
        lines += plan.changes.map { ($0.before == nil ? "new    " : "edit   ") + $0.path }
        for finding in plan.findings where finding.kind == .problem {
            let place = finding.file + (finding.line.map { ":\($0)" } ?? "")
            lines += terminal.wrapped("\(place): \(finding.what)", label: "look", labelWidth: 7)
        }
        lines += ["", "Now have Postfix show them the mail, behind the filters in use:", ""]
        let units = shadow.daemons.map { "signet-\($0.rawValue)" }
        // One that runs already reads what is new.
        lines.append(
            "  systemctl enable --now \(units.map { "\($0).socket" }.joined(separator: " "))")
        lines.append("  systemctl try-reload-or-restart \(units.joined(separator: " "))")
        // Commands are not wrapped: they are there to be copied.
        lines += (shadow.commands + ["postfix reload"]).map { "  \($0)" }
        lines += ["", "then, as mail comes: signet migrate --shadow", ""]
        return lines + shadow.notes.flatMap { terminal.wrapped($0, label: "note", labelWidth: 7) }
    }
}
