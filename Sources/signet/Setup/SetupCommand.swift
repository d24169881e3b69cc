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
            --apply it shows them, asks, makes all changes or none, and says what "signet doctor" finds then; --undo puts back \
            what the last --apply changed and keeps edits of other lines, or says which edit is in the way. Exit status 0 done or \
            nothing to do, 1 refused at the question, 2 done and the doctor finds an error on this host, 66 no such root, 73 a \
            file could not be written, 78 something has to be settled first.
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
        _ = try FileTree.named(root)
        do {
            if undo {
                try UndoRun(tree: tree, command: "setup", asks: !yes, json: json).run()
            } else {
                try setUp()
            }
        } catch let fault as FileFault {
            throw CommandFailure(.cannotCreate, fault.description)
        }
    }

    private var tree: FileTree { FileTree(root: root) }

    // MARK: Setting up

    private func setUp() throws {
        let names = try domains.map(DomainArgument.parse)
        for domain in names { try DomainArgument.checkSelector("\(selector)-ed25519", of: domain) }
        if apply { try Transactions.finishEarlierRun(in: tree) }
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
        let output = SetupOutput(
            plan: plan, domains: names, terminal: .standardOutput, options: givenOptions)
        guard apply, plan.obstacles.isEmpty else {
            try print(output, isApplied: false)
            if !plan.obstacles.isEmpty { throw ExitCode(DaemonKit.ExitCode.configuration.rawValue) }
            return
        }
        if !plan.isDone {
            if !json { for line in output.changeLines { Swift.print(line) } }
            if !yes { try Confirmation.ask("Make these changes?") }
        }
        let run = ApplyRun(tree: tree, daemons: plan.daemons)
        if try !plan.isDone || run.isUnfinished {
            try run.make(plan.changes, directories: plan.directories)
        }
        try examine(names, output)
    }

    /// Has the doctor look at what was made, and prints all.
    private func examine(_ names: [DomainName], _ output: SetupOutput) throws {
        let result = tree.isThisHost ? SetupExamination(domains: names, address: address) : nil
        try print(output, isApplied: true, result)
        if let result, result.hasErrorOnHost { throw ExitCode(2) }
    }

    /// What decides on keys and records, as it was given.
    private var givenOptions: [String] {
        (selector == "mail" ? [] : ["--selector \(selector)"])
            + (signer == .auto ? [] : ["--signer \(signer.rawValue)"])
            + address.map { "--address \($0)" }
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

    private func print(
        _ output: SetupOutput, isApplied: Bool, _ examination: SetupExamination? = nil
    ) throws {
        if json {
            let document = output.document(isApplied: isApplied, examination)
            Swift.print(try JSONOutput.text(of: document))
        } else {
            for line in output.lines(isApplied: isApplied, examination) { Swift.print(line) }
        }
    }
}

extension SetupRequest.Signer: ExpressibleByArgument {}
