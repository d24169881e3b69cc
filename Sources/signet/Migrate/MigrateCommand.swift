import ArgumentParser
import DaemonKit
import Migration
import Setup

/// `signet migrate`: the configuration of other programs in Signet's places, and Postfix's lines swapped.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Takes over the configuration of OpenDKIM, OpenDMARC and their like.",
        discussion: """
            Reads the configuration of OpenDKIM, dkimpy-milter, OpenDMARC, policyd-spf and dkimproxy with the tables and keys \
            that it names, writes /etc/signet, and lists what changed in meaning and what has no counterpart. Postfix goes on as \
            it did until --finish. With --shadow the daemons run beside the others and only compare; run it again for what \
            differs. Exit status 0 done, 1 refused at the question, 66 no such root, 73 a file could not be written, 78 something \
            has to be settled first.
            """)

    @Flag(help: "Put Signet's sockets into main.cf and master.cf where the others' are.")
    var finish = false

    @Flag(help: "Have Signet run beside the others and only compare; then say what differs.")
    var shadow = false

    @Flag(help: "Only read tables of databases and directories again; for a timer.")
    var tables = false

    @Flag(help: "Copy private keys to /etc/signet/keys, for signet-dkim alone.")
    var copyKeys = false

    @Flag(help: "Only show what would be written.")
    var dryRun = false

    @Flag(help: "Put back what the last run changed.")
    var undo = false

    @Flag(help: "Do not ask.")
    var yes = false

    @Option(help: "Work on the tree below this directory; no service is called.")
    var root: String = "/"

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard !(undo && (finish || shadow || copyKeys || dryRun)) else {
            throw ValidationError("--undo excludes --finish, --shadow, --copy-keys and --dry-run")
        }
        guard !(tables && (undo || finish || shadow)) else {
            throw ValidationError("--tables excludes --undo, --finish and --shadow")
        }
        guard !(finish && shadow) else {
            throw ValidationError("--finish and --shadow exclude each other")
        }
    }

    func run() throws {
        let tree = try FileTree.named(root)
        do {
            if undo {
                // In a tree nothing runs that could be disturbed.
                let asks = !yes && tree.isThisHost
                return try UndoRun(tree: tree, command: "migrate", asks: asks, json: json).run()
            }
            if !dryRun { try Transactions.finishEarlierRun(in: tree) }
            let fetch: MigrationPlan.Fetch = { (table) throws(RemoteTable.Fault) in
                try TableClient.rows(of: table)
            }
            let plan = try MigrationPlan(
                tree, copiesKeys: copyKeys, owner: SystemAccounts(tree)["signet-dkim"],
                isShadow: shadow,
                // Swapping Postfix's lines needs no table.
                fetch: finish ? nil : fetch)
            if tables {
                try refreshTables(tree, plan)
            } else if shadow {
                try ShadowRun(tree: tree, plan: plan, isDryRun: dryRun, json: json).run()
            } else if finish {
                try swap(tree, plan)
            } else {
                try write(tree, plan)
            }
        } catch let fault as FileFault {
            throw CommandFailure(.cannotCreate, fault.description)
        }
    }

    private func write(_ tree: FileTree, _ plan: MigrationPlan) throws {
        let isWritten = !dryRun && plan.obstacles.isEmpty && !plan.changes.isEmpty
        if isWritten {
            try Transactions(in: tree).apply(plan.changes, directories: plan.directories)
        }
        let output = MigrationOutput(
            files: plan.peers.map(\.file), changes: plan.changes, findings: plan.findings,
            swaps: [], notes: [], obstacles: plan.obstacles,
            refusals: !dryRun && plan.obstacles.isEmpty
                ? HostServices(tree: tree).refusals(plan.daemons) : [],
            isWritten: isWritten,
            next: isWritten
                ? "signet migrate --finish"
                : dryRun && !plan.changes.isEmpty
                    ? "signet migrate\(copyKeys ? " --copy-keys" : "")" : nil)
        try output.print(json: json)
    }

    /// Writes what has changed in databases, as a timer has it done: no run of its own, but part of the one that has made the tables.
    private func refreshTables(_ tree: FileTree, _ plan: MigrationPlan) throws {
        guard plan.obstacles.isEmpty else {
            for obstacle in plan.obstacles { complain(obstacle) }
            throw ExitCode(DaemonKit.ExitCode.configuration.rawValue)
        }
        for finding in plan.findings where finding.kind == .problem {
            complain("\(finding.file): \(finding.directive ?? ""): \(finding.what)")
        }
        let changes = plan.changes.filter { plan.remotePaths.contains($0.path) }
        let directories = plan.directories.filter { directory in
            changes.contains { $0.path.hasPrefix("\(directory.path)/") }
        }
        let transactions = Transactions(in: tree)
        // A table comes after the keys that it names.
        if !dryRun, !changes.isEmpty {
            try transactions.refresh(changes, directories: directories)
        }
        for change in changes { print(change.path) }
        guard !changes.isEmpty, !dryRun, tree.isThisHost else { return }
        if let refusal = HostServices(tree: tree).refusals([.dkim]).first {
            let before = changes.compactMap { change in
                change.before.map {
                    FileChange(path: change.path, before: change.after, after: $0)
                }
            }
            try transactions.refresh(before.reversed(), directories: [])
            throw CommandFailure(
                .configuration, "the new tables are refused, so the old ones are back: \(refusal)")
        }
        let reload = HostProgram.run(
            ["/usr/bin/systemctl", "try-reload-or-restart", "signet-dkim.service"], seconds: 120)
        guard reload?.status == 0 else {
            throw CommandFailure(
                .tempFail, "signet-dkim has not read the new tables: systemctl reload signet-dkim")
        }
    }

    /// Puts Signet's sockets where the others' are.
    private func swap(_ tree: FileTree, _ plan: MigrationPlan) throws {
        let swap = try FinishPlan(tree, peers: plan.peers)
        let obstacles = plan.peers.isEmpty ? plan.obstacles : swap.obstacles
        let isWritten = !dryRun && obstacles.isEmpty && !swap.changes.isEmpty
        if isWritten {
            if !json { for line in ChangeLines.of(swap.changes, .standardOutput) { print(line) } }
            if !yes, tree.isThisHost { try Confirmation.ask("Make these changes?") }
            try ApplyRun(tree: tree, daemons: plan.daemons).make(swap.changes, directories: [])
        }
        let output = MigrationOutput(
            files: plan.peers.map(\.file), changes: swap.changes, findings: [], swaps: swap.swaps,
            notes: swap.notes, obstacles: obstacles, refusals: [], isWritten: isWritten,
            areShown: isWritten && !json, next: isWritten ? "signet doctor" : nil)
        try output.print(json: json)
    }
}
