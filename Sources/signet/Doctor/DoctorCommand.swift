import ArgumentParser
import DaemonKit
import Doctor
import Glibc
import MailDNS
import MailSyntax
import Threads
import UnboundDNS

/// `signet doctor`: what is wrong with this host, its configuration and its records, and what mends it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what is wrong with a mail host and its DNS records, and what mends it.",
        discussion: """
            Without a domain those are looked at that the signer's configuration names. Nothing is changed. Exit status 0 if all \
            is fine, 1 for warnings, 2 for errors.
            """)

    /// What a run can be limited to.
    enum Direction: String, CaseIterable, ExpressibleByArgument {
        case outbound
    }

    /// What is looked at only if it is asked for.
    enum Extra: String, CaseIterable, ExpressibleByArgument {
        case blocklists
    }

    @Argument(help: "The domains whose mail is sent or received here.")
    var domains: [String] = []

    @Flag(help: "Look at the host alone.")
    var local = false

    @Flag(help: "Look at the DNS alone.")
    var dns = false

    @Option(help: ArgumentHelp("Look at the host in this directory.", valueName: "dir"))
    var root = "/"

    @OptionGroup var answers: ResolverOptions

    @Option(help: "Look only at what mail that is sent depends on.")
    var only: Direction?

    @Option(
        help: ArgumentHelp(
            "An address that mail leaves from, where it is not one of this host's interfaces."))
    var address: [String] = []

    @Option(help: ArgumentHelp("The name in HELO, in place of Postfix's.", valueName: "name"))
    var helo: String?

    @Option(
        help: ArgumentHelp(
            "A key that signs, in place of those of dkim.conf.", valueName: "domain:selector:file"))
    var key: [String] = []

    @Option(
        help: "Ask block lists about the addresses that mail leaves from; the lists learn them.")
    var also: [Extra] = []

    @Flag(help: "Write JSON.")
    var json = false

    func validate() throws {
        _ = try domains.map(DomainArgument.parse)
        for text in address where IPAddress(text) == nil {
            throw ValidationError("\"\(text)\" is not an address")
        }
        _ = try key.map(Self.key)
    }

    func run() throws {
        let findings = Doctor.examine(try host(), scope)
        if json {
            print(try JSONOutput.list(of: findings.map(DiagnosisObject.init)))
        } else {
            print(DoctorReport(findings).text(for: .standardOutput))
        }
        if findings.contains(where: { $0.severity == .error }) { throw ArgumentParser.ExitCode(2) }
        if findings.contains(where: { $0.severity == .warning }) {
            throw ArgumentParser.ExitCode(1)
        }
    }

    /// What is looked at: both, where neither or both are asked for.
    private var scope: Doctor.Scope {
        var scope: Doctor.Scope = dns == local ? [.dns, .local] : dns ? .dns : .local
        if only == .outbound { scope.insert(.outboundOnly) }
        return scope
    }

    private func host() throws -> HostView {
        guard unsafe access(root, R_OK | X_OK) == 0 else {
            throw CommandFailure(.noInput, "\(root) is no directory that can be read")
        }
        var host = DoctorHost(tree: HostFiles(root: root))
        if !key.isEmpty { host.signing = SignersView(keys: try key.map(Self.key), host.tree) }
        host.heloName = helo
        host.addresses = address.compactMap { IPAddress($0) }
        host.domains = try domains.map(DomainArgument.parse)
        if scope.contains(.dns) { host.resolver = try answers.resolver() }
        host.asksOthers = !answers.isGiven
        host.asksBlockLists = also.contains(.blocklists)
        let view = host.view()
        guard !dns || !view.domains.isEmpty else {
            throw ValidationError("no domain is configured here: name one")
        }
        return view
    }

    private static func key(
        _ text: String
    ) throws -> (domain: DomainName, selector: DomainName, path: String) {
        let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3, let selector = try? DomainName(parts[1]), selector.isHostName else {
            throw ValidationError("\"\(text)\" is not DOMAIN:SELECTOR:FILE")
        }
        return (try DomainArgument.parse(parts[0]), selector, parts[2])
    }
}
