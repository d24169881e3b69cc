import ArgumentParser
import DaemonKit
import Glibc
import Setup

/// Putting back what the last transaction changed, for each command that makes some.
struct UndoRun {
    let tree: FileTree
    /// Whether a question is asked first.
    let asks: Bool
    let json: Bool

    private struct Document: Encodable {
        let undone: [String]
        let changed: [String]
    }

    func run() throws {
        let transactions = Transactions(in: tree)
        // An undo that was interrupted is completed, and no older change is undone after it.
        if case .undone(let paths) = try Transactions.finishEarlierRun(in: tree) {
            return try finish(paths)
        }
        if case .undone(let paths) = try transactions.unserved() { return try finish(paths) }
        switch try transactions.undo(dryRun: true) {
        case .nothing: return try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths):
            if !json { for path in paths { print("  \(path)") } }
            if asks { try Confirmation.ask("Put these files back as they were?") }
        }
        switch try transactions.undo() {
        case .nothing: try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths): try finish(paths)
        }
    }

    /// Has the services read what they had before, and says so.
    private func finish(_ paths: [String]) throws {
        let transactions = Transactions(in: tree)
        HostServices(tree: tree).goBack(
            SignetDaemon.allCases.filter { tree.exists($0.program) },
            aliases: paths.contains("/etc/aliases"), resting: try transactions.unitsToRest())
        try transactions.markServed()
        let files = paths.count == 1 ? "1 file" : "\(paths.count) files"
        try report("All is as it was before: \(files) put back.", paths)
    }

    private func report(_ sentence: String, _ paths: [String]) throws {
        print(json ? try JSONOutput.text(of: Document(undone: paths, changed: [])) : sentence)
    }

    /// Says what has changed since, and that nothing was touched.
    private func stop(_ changes: [FileChange]) throws {
        if json {
            print(try JSONOutput.text(of: Document(undone: [], changed: changes.map(\.path))))
        } else {
            print("Nothing was changed, because these files have been edited since:")
            for change in changes {
                print("\n\(change.path)")
                for line in SetupOutput.difference(of: change) { print("  \(line)") }
            }
            print("\nTake these changes back, or undo by hand; what was there before is in")
            print("\(Transactions.directory).")
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
