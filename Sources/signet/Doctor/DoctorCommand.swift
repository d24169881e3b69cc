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
        let tree = HostFiles(root: root)
        var host = HostView(tree)
        if tree.isLive {
            host.checkConfiguration = { LiveHost.check(daemon: $0, file: $1) }
            host.negotiate = { LiveHost.negotiate(path: $0) }
        }
        if !key.isEmpty { host.signing = SignersView(keys: try key.map(Self.key), tree) }
        if let helo {
            // The greeting is of the host that main.cf describes.
            (host.heloName, host.bannerName) = (helo, nil)
        }
        if !address.isEmpty {
            host.addresses = address.compactMap { IPAddress($0) }
        } else if host.addresses.isEmpty, tree.isLive {
            host.addresses = OwnAddresses.global
        }
        host.domains = try domains.map(DomainArgument.parse)
        if host.domains.isEmpty { host.domains = host.signing.domains }
        guard scope.contains(.dns) else { return host }
        guard !host.domains.isEmpty || !dns else {
            throw ValidationError("no domain is configured here: name one")
        }
        host.dns = DNSLookup(try answers.resolver(), time: .system)
        host.asksBlockLists = also.contains(.blocklists)
        if !answers.isGiven {
            host.authoritative = { Self.resolver(asking: $0) }
            host.rootAnswer = Self.rootAnswer
        }
        if host.addresses.isEmpty { host.learnAddresses() }
        return host
    }

    /// Debian's file of trust anchors (package dns-root-data).
    private static let trustAnchors = "/usr/share/dns/root.key"

    /// Asks for the root zone's servers with a trust anchor; nil where there is none.
    private static var rootAnswer: (@Sendable () -> DNSAnswer)? {
        var options = UnboundResolver.Options()
        options.trustAnchorFile = trustAnchors
        guard unsafe access(trustAnchors, R_OK) == 0, let resolver = try? UnboundResolver(options)
        else { return nil }
        return {
            resolver.resolve(DNSQuestion(.root, .ns), deadline: .now() + ResolverOptions.timeout)
        }
    }

    /// A resolver that asks one server; nil where it cannot be set up.
    private static func resolver(asking address: IPAddress) -> (any DNSResolver)? {
        var options = UnboundResolver.Options(nameservers: [Nameserver(address)])
        options.cachesAnswers = false
        return try? UnboundResolver(options)
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
