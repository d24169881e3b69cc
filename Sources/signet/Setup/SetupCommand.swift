import ArgumentParser
import DaemonKit
import Foundation
import MailCrypto
import MailSyntax
import Setup

/// `signet setup`: from a bare Postfix to one whose mail is signed, and back.
struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Sets Postfix up to sign and verify, and says what to publish.",
        discussion: """
            Without --apply nothing is changed: it prints the differences that it would make and the records to publish. With \
            --apply it shows them, asks, and makes all changes or none; --undo puts back what the last --apply changed, or says \
            what has changed since. Exit status 0 done or nothing to do, 1 refused at the question, 73 a file could not be \
            written, 78 something has to be settled first.
            """)

    @Argument(help: "The domains in the From fields of outgoing mail.")
    var domains: [String] = []

    @Flag(help: "Make the changes.")
    var apply = false

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Put back what the last --apply changed.")
    var undo = false

    @Option(help: "Work on the tree below this directory; no service is called.")
    var root: String = "/"

    @Option(help: "The selector of new keys; the Ed25519 key's has -ed25519 behind it.")
    var selector: String = "mail"

    @Option(
        help: "An address that this host sends from, as others see it. Several may be given.")
    var address: [String] = []

    @Option(help: "Who signs: here, relay, or auto, which means the relay if it is known to.")
    var signer: SetupRequest.Signer = .auto

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard undo != !domains.isEmpty else {
            throw ValidationError("name the domains, or --undo alone")
        }
        guard !(undo && apply) else {
            throw ValidationError("--apply and --undo exclude each other")
        }
    }

    func run() throws {
        do {
            if undo { try undoLast() } else { try setUp() }
        } catch let fault as FileFault {
            throw CommandFailure(.cannotCreate, fault.description)
        }
    }

    private var tree: FileTree { FileTree(root: root) }

    // MARK: Setting up

    private func setUp() throws {
        let names = try domains.map(DomainArgument.parse)
        for domain in names { try DomainArgument.checkSelector("\(selector)-ed25519", of: domain) }
        if apply { try finishEarlierRun() }
        let facts = try HostFacts(
            reading: tree, hostName: ProcessInfo.processInfo.hostName, addresses: try addresses(),
            domains: names)
        let makesKeys = apply
        let plan = try SetupPlan(
            facts, SetupRequest(domains: names, selector: selector, signer: signer),
            keys: KeyTools(
                makeRSA: { makesKeys ? try PrivateKey.generateRSA(bits: 2048) : nil },
                makeEd25519: { makesKeys ? try PrivateKey.generateEd25519() : nil },
                record: { KeyRecordText.line(for: $0) }))
        let output = SetupOutput(plan: plan, domains: names, terminal: .standardOutput)
        guard apply, plan.obstacles.isEmpty, !plan.isDone else {
            try print(output, isApplied: false)
            if !plan.obstacles.isEmpty { throw ExitCode(DaemonKit.ExitCode.configuration.rawValue) }
            return
        }
        if !json { for line in output.changeLines { Swift.print(line) } }
        try confirm("Make these changes?")
        try Transactions(in: tree).apply(plan.changes, directories: plan.directories)
        let host = HostServices(tree: tree)
        do throws(HostServices.Fault) {
            try host.check(plan.daemons)
        } catch {
            _ = try Transactions(in: tree).undo()
            throw CommandFailure(
                .configuration, "the new configuration is refused, so all is as before: \(error)")
        }
        host.reload(plan.daemons, aliases: plan.changes.contains { $0.path == "/etc/aliases" })
        try print(output, isApplied: true)
    }

    /// What an earlier run has begun is finished before anything else is looked at.
    private func finishEarlierRun() throws {
        switch try Transactions(in: tree).recover() {
        case .completed(let paths):
            complain("an interrupted run has been completed: \(paths.joined(separator: ", "))")
        case .undone(let paths):
            complain("an interrupted --undo has been completed: \(paths.joined(separator: ", "))")
        case nil: break
        }
    }

    private func addresses() throws -> [IPAddress] {
        guard address.isEmpty else {
            return try address.map { text in
                guard let address = IPAddress(text) else {
                    throw ValidationError("\"\(text)\" is not an address")
                }
                return address
            }
        }
        return tree.isThisHost ? InterfaceAddresses.global : []
    }

    private func print(_ output: SetupOutput, isApplied: Bool) throws {
        if json {
            Swift.print(try JSONOutput.text(of: output.document(isApplied: isApplied)))
        } else {
            let withChanges = !isApplied
            for line in output.lines(isApplied: isApplied, withChanges: withChanges) {
                Swift.print(line)
            }
        }
    }

    /// Asks; anything but yes ends the command with status 1.
    private func confirm(_ question: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure(.usage, "nobody can be asked here: add --yes to make the changes")
        }
        Swift.print("\(question) [y/N] ", terminator: "")
        _ = fflush(nil)
        let answer = readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            Swift.print("Nothing has been changed.")
            throw ExitCode(1)
        }
    }

    // MARK: Undoing

    private func undoLast() throws {
        let transactions = Transactions(in: tree)
        switch try transactions.undo(dryRun: true) {
        case .nothing: return try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths):
            if !json { for path in paths { Swift.print("  \(path)") } }
            try confirm("Put these files back as they were?")
        }
        switch try transactions.undo() {
        case .nothing: try report("There is nothing to undo.", [])
        case .changedSince(let changes): try stop(changes)
        case .done(let paths):
            HostServices(tree: tree).reload([], aliases: paths.contains("/etc/aliases"))
            try report("All is as it was before: \(paths.count) files put back.", paths)
        }
    }

    private struct UndoDocument: Encodable {
        let undone: [String]
        let changed: [String]
    }

    private func report(_ sentence: String, _ paths: [String]) throws {
        Swift.print(
            json ? try JSONOutput.text(of: UndoDocument(undone: paths, changed: [])) : sentence)
    }

    /// Says what has changed since, and that nothing was touched.
    private func stop(_ changes: [FileChange]) throws {
        if json {
            Swift.print(
                try JSONOutput.text(of: UndoDocument(undone: [], changed: changes.map(\.path))))
        } else {
            Swift.print("Nothing was touched: somebody has changed since what --apply left.")
            for change in changes {
                Swift.print("\n\(change.path)")
                for line in SetupOutput.difference(of: change) { Swift.print("  \(line)") }
            }
            Swift.print("\nTake these changes back, or undo by hand; what was there before is in")
            Swift.print("\(Transactions.directory).")
        }
        throw ExitCode(DaemonKit.ExitCode.configuration.rawValue)
    }
}

extension SetupRequest.Signer: ExpressibleByArgument {}
