import ArgumentParser
import DaemonKit
import Migration
import Setup

/// What a migration did, or would do, in words and as JSON.
struct MigrationOutput {
    let files: [String]
    let changes: [FileChange]
    let findings: [MigrationFinding]
    let swaps: [String]
    let notes: [String]
    let obstacles: [String]
    /// What daemons say against what was written.
    let refusals: [String]
    let isWritten: Bool
    /// Whether the differences have been printed.
    var areShown = false
    /// What is to be done next.
    var next: String?

    private struct Document: Encodable {
        struct Change: Encodable {
            let path: String
            let isNew: Bool
            let difference: [String]
        }
        struct Finding: Encodable {
            let kind: String
            let file: String
            let line: Int?
            let directive: String?
            let what: String
        }
        let written: Bool
        let read: [String]
        let changes: [Change]
        let findings: [Finding]
        let swaps: [String]
        let notes: [String]
        let obstacles: [String]
        let refusals: [String]
    }

    /// Prints it; obstacles end the command with status 78.
    func print(json: Bool) throws {
        if json {
            Swift.print(try JSONOutput.text(of: document))
        } else {
            for line in lines(.standardOutput) { Swift.print(line) }
        }
        if !(obstacles + refusals).isEmpty {
            throw ExitCode(DaemonKit.ExitCode.configuration.rawValue)
        }
    }

    private var document: Document {
        Document(
            written: isWritten, read: files,
            changes: changes.map {
                Document.Change(
                    path: $0.path, isNew: $0.before == nil,
                    difference: ChangeLines.difference(of: $0))
            },
            findings: findings.map {
                Document.Finding(
                    kind: $0.kind.rawValue, file: $0.file, line: $0.line, directive: $0.directive,
                    what: $0.what)
            }, swaps: swaps, notes: notes, obstacles: obstacles,
            refusals: refusals)
    }

    private var verdict: String {
        if !obstacles.isEmpty { return "Nothing can be changed yet." }
        if changes.isEmpty { return "Nothing is left to change." }
        return Self.count(changes.count, isWritten: isWritten) + "."
    }

    /// How many files were written, or would be.
    static func count(_ files: Int, isWritten: Bool) -> String {
        guard isWritten else { return "\(files) \(files == 1 ? "file" : "files") would be written" }
        return files == 1 ? "1 file has been written" : "\(files) files have been written"
    }

    private func lines(_ terminal: Terminal) -> [String] {
        var lines = [verdict]
        if !obstacles.isEmpty { lines.append("") }
        for obstacle in obstacles {
            lines += terminal.wrapped(obstacle, label: "first", labelWidth: 7)
        }
        if !changes.isEmpty { lines.append("") }
        if !areShown {
            lines += changes.map { ($0.before == nil ? "new    " : "edit   ") + $0.path }
        }
        lines += swaps.flatMap { terminal.wrapped($0, label: "swap", labelWidth: 7) }
        lines += findingLines(terminal)
        if !notes.isEmpty { lines.append("") }
        for note in notes { lines += terminal.wrapped(note, label: "note", labelWidth: 7) }
        if !refusals.isEmpty {
            lines += ["", "What was written is refused. Mend it there before --finish:"]
            lines += Self.refusalLines(refusals, terminal)
        } else if obstacles.isEmpty, let next {
            lines += ["", "next: \(next)"]
        }
        return lines
    }

    /// What daemons say, a line of theirs on each.
    static func refusalLines(_ refusals: [String], _ terminal: Terminal) -> [String] {
        refusals.flatMap { $0.split(separator: "\n") }.flatMap {
            terminal.wrapped(String($0), label: "  ", labelWidth: 4)
        }
    }

    private func findingLines(_ terminal: Terminal) -> [String] {
        let headings: [(MigrationFinding.Kind, String)] = [
            (.problem, "What needs attention:"), (.meaning, "What has another meaning here:"),
            (.none, "What has no counterpart, and was left out:"),
            (.dropped, "What nothing needs any more, and was left out:"),
        ]
        return headings.flatMap { kind, heading -> [String] in
            // What two directives share is found twice.
            var seen: Set<MigrationFinding> = []
            let some = findings.filter { $0.kind == kind && seen.insert($0).inserted }
            guard !some.isEmpty else { return [] }
            return ["", heading]
                + some.flatMap { finding in
                    let place = finding.file + (finding.line.map { ":\($0)" } ?? "")
                    let name = finding.directive.map { " \($0)" } ?? ""
                    return terminal.wrapped(
                        "\(place)\(name): \(finding.what)", label: "  ", labelWidth: 2, hanging: 4)
                }
        }
    }
}
