import MailSyntax
import Setup

/// A plan in words and as JSON.
struct SetupOutput {
    let plan: SetupPlan
    let domains: [DomainName]
    let terminal: Terminal
    /// The options that the command was given and that a further run needs.
    var options: [String] = []

    /// The lines for people: the verdict first.
    func lines(isApplied: Bool, _ examination: SetupExamination? = nil) -> [String] {
        var lines = terminal.wrapped(verdict(isApplied), label: "", labelWidth: 0)
        for obstacle in plan.obstacles {
            lines += [""]
            lines += terminal.wrapped(obstacle, label: "first", labelWidth: 7).map {
                terminal.coloured($0, .red)
            }
        }
        if let examination { lines += [""] + examination.lines(for: terminal) }
        if !isApplied, !plan.isDone, plan.obstacles.isEmpty { lines += [""] + changeLines }
        if plan.obstacles.isEmpty { lines += [""] + recordLines }
        if !plan.notes.isEmpty { lines.append("") }
        for note in plan.notes { lines += terminal.wrapped(note, label: "note", labelWidth: 7) }
        if isApplied {
            guard examination?.isFine != true else { return lines }
            lines += ["", "next: publish the records, then run"]
            lines += ["  signet doctor \(names)"]
        } else if plan.obstacles.isEmpty, !plan.isDone {
            let words = ["signet setup", names] + options + ["--apply"]
            lines += ["", "next: \(words.joined(separator: " "))"]
        }
        return lines
    }

    private var names: String { domains.map(\.ascii).joined(separator: " ") }

    private func verdict(_ isApplied: Bool) -> String {
        let records = plan.records.count { !$0.isHint }
        if !plan.obstacles.isEmpty { return "Nothing can be changed yet." }
        if plan.isDone {
            return "This host is set up for \(names). \(records) records belong to it."
        }
        let what = isApplied ? "have been changed" : "would change"
        return "\(plan.changes.count) files \(what); \(records) records are to be published."
    }

    /// The differences, file by file.
    var changeLines: [String] { ChangeLines.of(plan.changes, terminal) }

    private var recordLines: [String] {
        let zone = plan.records.flatMap { record in
            ["; \(record.purpose)"] + record.zoneText.split(separator: "\n").map(String.init)
        }
        let lines = plan.records.filter { !$0.isHint }.map(\.line)
        return ["Publish, as lines of a zone file:", ""] + zone
            + ["", "The same for a provider's form, one a line:", ""] + lines
    }

    /// A plan as JSON.
    struct Document: Encodable {
        struct Change: Encodable {
            let path: String
            let isNew: Bool
            let mode: String
            let difference: [String]
        }
        struct Record: Encodable {
            let name: String
            let type: String
            let value: String
            let zone: String
            let purpose: String
            let hint: Bool
        }
        let applied: Bool
        let signer: String
        let daemons: [String]
        let changes: [Change]
        let records: [Record]
        let notes: [String]
        let obstacles: [String]
        /// What the doctor finds afterwards; absent where it has not looked.
        let doctor: [DiagnosisObject]?
    }

    /// The plan as JSON.
    func document(isApplied: Bool, _ examination: SetupExamination? = nil) -> Document {
        Document(
            applied: isApplied, signer: plan.signer, daemons: plan.daemons.map(\.rawValue),
            changes: plan.changes.map {
                Document.Change(
                    path: $0.path, isNew: $0.before == nil,
                    mode: String($0.after.mode, radix: 8),
                    difference: ChangeLines.difference(of: $0))
            },
            records: plan.records.map {
                Document.Record(
                    name: $0.name, type: $0.type, value: $0.value, zone: $0.zoneText,
                    purpose: $0.purpose, hint: $0.isHint)
            }, notes: plan.notes, obstacles: plan.obstacles,
            doctor: examination.map { $0.findings.map(DiagnosisObject.init) })
    }
}
