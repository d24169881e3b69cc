import ArgumentParser
import DaemonKit
import Glibc
import Setup

/// Putting back what the last transaction changed, for each command that makes some.
struct UndoRun {
    let tree: FileTree
    /// The subcommand, as it is typed.
    let command: String
    /// Whether a question is asked first.
    let asks: Bool
    let json: Bool

    private struct Document: Encodable {
        struct Edit: Encodable {
            let path: String
            /// Where the edited file is kept; nil where the edit is still in the file.
            let copy: String?
        }
        let undone: [String]
        let changed: [String]
        let spared: [Edit]
        /// The commands after which the undo goes on.
        let commands: [String]
    }

    func run() throws {
        let transactions = Transactions(in: tree)
        // An undo that was interrupted is completed, and no older change is undone after it.
        if case .undone(let paths) = try Transactions.finishEarlierRun(in: tree) {
            return try finish(paths)
        }
        if case .undone(let paths) = try transactions.unserved() { return try finish(paths) }
        switch try transactions.undo(dryRun: true, sparingEdits: true) {
        case .nothing: return try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths):
            if !json {
                let edits = try transactions.editsToSpare()
                for line in Self.lines(paths, edits) { print(line) }
            }
            if asks { try Confirmation.ask("Put these files back as they were?") }
        }
        switch try transactions.undo(sparingEdits: true) {
        case .nothing: try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths): try finish(paths)
        }
    }

    /// The files, each with what becomes of an edit.
    private static func lines(_ paths: [String], _ edits: [SparedEdit]) -> [String] {
        paths.flatMap { path -> [String] in
            switch edits.first(where: { $0.path == path })?.fate {
            case nil: ["  \(path)"]
            case .stays: ["  \(path)", "    edited since: what you have changed stays in it"]
            case .aside(let copy):
                ["  \(path)", "    edited since: your version is kept as \(copy)"]
            }
        }
    }

    /// Has the services read what they had before, and says so.
    private func finish(_ paths: [String]) throws {
        let transactions = Transactions(in: tree)
        HostServices(tree: tree).goBack(
            SignetDaemon.allCases.filter { tree.exists($0.program) },
            aliases: paths.contains("/etc/aliases"), resting: try transactions.unitsToRest())
        let edits = try transactions.sparedEdits()
        try transactions.markServed()
        let files = paths.count == 1 ? "1 file" : "\(paths.count) files"
        try report(
            edits.isEmpty
                ? "All is as it was before: \(files) put back."
                : "\(files) put back; your edits since are kept.", paths, edits)
        if !json, case .done = try transactions.undo(dryRun: true, sparingEdits: true) {
            print("The run before it can be put back in the same way.")
        }
    }

    private func report(
        _ sentence: String, _ paths: [String], _ edits: [SparedEdit] = []
    ) throws {
        let spared = edits.map { edit in
            if case .aside(let copy) = edit.fate {
                Document.Edit(path: edit.path, copy: copy)
            } else {
                Document.Edit(path: edit.path, copy: nil)
            }
        }
        let document = Document(undone: paths, changed: [], spared: spared, commands: [])
        print(json ? try JSONOutput.text(of: document) : sentence)
    }

    /// Says what has changed since, that nothing was touched, and how to go on.
    private func stop(_ obstacles: [Transactions.Obstacle]) throws {
        let root = tree.root
        let commands =
            obstacles.map { "cp \(root)\($0.left) \(root)\($0.change.path)" }
            + ["signet \(command) --undo\(root.isEmpty ? "" : " --root \(root)")"]
        if json {
            let paths = obstacles.map(\.change.path)
            print(
                try JSONOutput.text(
                    of: Document(undone: [], changed: paths, spared: [], commands: commands)))
        } else {
            print("Nothing was put back, because lines that it would change were edited since:")
            for obstacle in obstacles {
                print("\n\(obstacle.change.path)")
                for line in ChangeLines.difference(of: obstacle.change) { print("  \(line)") }
            }
            let terminal = Terminal.standardOutput
            let advice =
                "Keep a copy of what you want to have again. These commands give the edits up and go "
                + "back; what is edited elsewhere stays:"
            print("")
            for line in terminal.wrapped(advice, label: "", labelWidth: 0) { print(line) }
            print("")
            for line in commands { print("  \(line)") }
        }
        throw ExitCode(DaemonKit.ExitCode.configuration.rawValue)
    }
}

/// A question that only yes answers.
enum Confirmation {
    /// Asks; anything but yes ends the command with status 1.
    static func ask(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure(.usage, "no terminal to ask at: add --yes to make the changes")
        }
        print("\(question) [y/N] ", terminator: "")
        _ = fflush(nil)
        let answer = readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            print("Nothing has been changed.")
            throw ExitCode(1)
        }
    }
}

extension FileTree {
    /// A tree that is named on the command line.
    ///
    /// - Throws: where there is no such directory, or it may not be read.
    static func named(_ root: String) throws(CommandFailure) -> FileTree {
        guard unsafe access(root, R_OK | X_OK) == 0 else {
            throw CommandFailure(.noInput, "\(root) is no directory that can be read")
        }
        return FileTree(root: root)
    }
}

extension Transactions {
    /// What an earlier run has begun is finished before anything else is looked at.
    @discardableResult
    static func finishEarlierRun(in tree: FileTree) throws -> Recovery? {
        let recovery = try Transactions(in: tree).recover()
        switch recovery {
        case .completed(let paths):
            complain("an interrupted run has been completed: \(paths.joined(separator: ", "))")
        case .undone(let paths):
            complain("an interrupted --undo has been completed: \(paths.joined(separator: ", "))")
        case nil: break
        }
        return recovery
    }
}
