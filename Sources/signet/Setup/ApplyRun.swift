import DaemonKit
import Setup

/// Changes that the services of this host take up, or that are put back.
struct ApplyRun {
    let tree: FileTree
    /// The daemons whose configuration changes.
    let daemons: [SignetDaemon]

    /// Whether an earlier run has changed files and ended before the services were told.
    var isUnfinished: Bool {
        get throws {
            if case .completed = try Transactions(in: tree).unserved() { true } else { false }
        }
    }

    /// Makes the changes and has the services read them; where one refuses, all is put back.
    ///
    /// - Parameters:
    ///   - changes: the files; none to have the services read what an earlier run has left.
    ///   - directories: the directories that the files need.
    /// - Throws: what a file cannot be written for, or why all is as before.
    func make(_ changes: [FileChange], directories: [NeededDirectory]) throws {
        let transactions = Transactions(in: tree)
        var paths = changes.map(\.path)
        if case .completed(let earlier) = try transactions.unserved() { paths += earlier }
        let aliases = paths.contains("/etc/aliases")
        if !changes.isEmpty { try transactions.apply(changes, directories: directories) }
        let services = HostServices(tree: tree)
        let resting = services.unitsAtRest(daemons)
        try transactions.note(units: resting)
        do throws(HostServices.Fault) {
            try services.check(daemons)
            try services.takeUp(daemons, aliases: aliases)
        } catch {
            try putBack(aliases: aliases, because: error)
        }
        try transactions.markServed()
    }

    private func putBack(aliases: Bool, because fault: HostServices.Fault) throws -> Never {
        let transactions = Transactions(in: tree)
        guard case .done = try transactions.undo() else {
            throw CommandFailure(
                .configuration,
                "the new configuration is refused, and a file has been edited meanwhile, so nothing was "
                    + "put back: \(fault)")
        }
        HostServices(tree: tree).goBack(
            daemons, aliases: aliases, resting: try transactions.unitsToRest())
        try transactions.markServed()
        throw CommandFailure(
            .configuration, "the new configuration is refused, so all is as before: \(fault)")
    }
}
