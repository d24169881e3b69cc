import ArgumentParser
import DaemonKit
import DomainKeys
import KeyRotation
import MailSyntax
import Threads

/// `signet key status`: how far rotations are.
struct KeyStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far each rotation is, and what it waits for.",
        discussion: """
            Domains of KeyDirectory whose keys have been rotated, or those that are named. Nothing is changed, and the DNS is not asked. \
            Exit status 0; 1 if a step has failed that does not pass by waiting.
            """)

    @OptionGroup var keys: KeyConfigurationOptions

    @Flag(help: "Write JSON.")
    var json = false

    @Argument(help: "Domains; all by default.")
    var domains: [String] = []

    func run() throws {
        let tree = try keys.tree()
        let disk = FolderDisk(tree)
        let named = try domains.map { try DomainArgument.parse($0) }
        let now = TimeSource.system.seconds()
        var reports: [RotationReport] = []
        for domain in named.isEmpty ? tree.domains()?.domains ?? [] : named {
            do {
                guard let octets = try disk.state(of: domain) else { continue }
                let state = try DomainRotation(parsing: octets)
                reports.append(RotationReport(domain, state, in: tree, now: now))
            } catch {
                throw CommandFailure(.dataError, "\(domain): \(error)")
            }
        }
        if json {
            print(try JSONOutput.list(of: reports))
        } else if reports.isEmpty {
            print("no key has been rotated; signet key list shows all keys")
        } else {
            for report in reports {
                for line in report.lines(now: now, .standardOutput) { print(line) }
            }
        }
        if reports.contains(where: \.stuck) { throw ExitCode(1) }
    }
}
