import ArgumentParser
import Configuration
import DaemonKit
import DomainKeys
import Glibc
import KeyRotation
import MailDNS
import MailSyntax
import Threads
import UnboundDNS

/// Which configuration of signet-dkim a command about keys looks at.
struct KeyConfigurationOptions: ParsableArguments {
    @Option(
        name: [.customShort("x"), .customLong("config")], help: "signet-dkim's configuration.")
    var file = "/etc/signet/dkim.conf"

    /// The directives that name keys.
    func reader() throws -> ConfigurationReader {
        let reader = ConfigurationReader(
            schema: KeyInventory.schema, file: file, passingOverOthers: true)
        guard !reader.problems.hasErrors else {
            let faults = reader.problems.filter { $0.severity == .error }.map(\.description)
            throw CommandFailure(.configuration, faults.joined(separator: "\n"))
        }
        return reader
    }

    /// The folder of keys that signet-dkim reads.
    func tree() throws -> KeyTree {
        guard let path = try reader().text("KeyDirectory") else {
            throw CommandFailure(
                .configuration,
                "\(file) has no KeyDirectory: only keys of such a directory rotate")
        }
        return KeyTree(path)
    }
}

/// What the commands that change keys share: the folder, the policy, and the lock that keeps two of them apart.
struct RotationOptions: ParsableArguments {
    @OptionGroup var keys: KeyConfigurationOptions

    @Option(name: .customLong("rotation-config"), help: "How keys rotate; may be absent.")
    var rotationFile = RotationDirectives.file

    @Option(name: .customLong("dns"), help: "show, nsupdate, hook, zonefile or cname.")
    var method: String?

    @Option(help: "The program of --dns hook.")
    var hook: String?

    @Flag(
        help: "Become the one of several hosts that rotates, whichever does now (ReportStore).")
    var takeOver = false

    /// The folder of keys that signet-dkim reads.
    func tree() throws -> KeyTree { try keys.tree() }

    /// Reads rotate.conf and the options that go before it.
    func configuration() throws -> RotationConfiguration {
        let isAbsent = unsafe access(rotationFile, F_OK) != 0 && errno == ENOENT
        let isUsual = rotationFile == RotationDirectives.file
        var overrides: [ConfigurationStatement] = []
        if let hook { overrides.append(Self.statement("Hook", hook, of: "--hook")) }
        if let method, method != "cname" {
            overrides.append(Self.statement("Method", method, of: "--dns"))
        }
        let reader = ConfigurationReader(
            schema: RotationDirectives.schema, file: isAbsent && isUsual ? nil : rotationFile,
            overrides: overrides)
        let configuration = RotationConfiguration(reader)
        if method == "cname", configuration.aliasZone == nil {
            reader.report(.error, "AliasZone", "is missing beside --dns cname")
        }
        RotationLease.check(configuration, reader)
        let problems = reader.problems.filter { $0.severity == .error }
        guard problems.isEmpty else {
            throw CommandFailure(
                .configuration, problems.map(\.description).joined(separator: "\n"))
        }
        return configuration
    }

    private static func statement(
        _ name: String, _ value: String, of option: String
    ) -> ConfigurationStatement {
        ConfigurationStatement(name, value, at: SourceLocation(file: option))
    }

    /// Everything that a command needs to take steps.
    func session() throws -> RotationSession {
        let configuration = try configuration()
        let tree = try tree()
        return try RotationSession(
            tree: tree, configuration: configuration, named: NamedKeys(keys.reader(), tree),
            lease: RotationLease(configuration, takesOver: takeOver))
    }
}

/// The folder, locked, and what takes the steps.
final class RotationSession {
    let tree: KeyTree
    let configuration: RotationConfiguration
    private let rotator: KeyRotator
    /// Copies to the other hosts; nil where there are none.
    private let hosts: BatchedDistributor?
    private let named: NamedKeys
    /// The lease of the host that rotates; nil where this host is alone.
    let lease: RotationLease?
    private let lock: Int32

    init(
        tree: KeyTree, configuration: RotationConfiguration, named: NamedKeys,
        lease: RotationLease?
    ) throws {
        self.tree = tree
        self.named = named
        self.configuration = configuration
        self.lease = lease
        lock = unsafe open(tree.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else {
            throw CommandFailure(.noInput, "\(tree.root): \(SystemError.last)")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw CommandFailure(.tempFail, "another signet key is at work in \(tree.root)")
        }
        do {
            let resolver = try UnboundResolver(
                UnboundResolver.Options(nameservers: configuration.nameservers))
            hosts =
                configuration.syncHosts.isEmpty
                ? nil : BatchedDistributor(HostSync(tree, configuration, lease))
            rotator = KeyRotator(
                disk: FolderDisk(tree, revealDirectory: configuration.revealDirectory),
                dns: AuthoritativeView(resolver: resolver, fixed: configuration.authorities),
                method: configuration.recordMethod(say: { print($0) }, log: { complain($0) }),
                distributor: hosts,
                leader: lease, policy: configuration.policy, now: TimeSource.system.seconds)
        } catch {
            close(lock)
            throw CommandFailure(.unavailable, "\(error)")
        }
    }

    deinit { close(lock) }

    /// What takes the steps of a domain, if its keys can rotate.
    func rotator(for domain: DomainName) throws(RotationFailure) -> KeyRotator {
        try named.check(domain)
        return rotator
    }

    /// Works on domains, one after the other, or where other hosts are copied to side by side.
    ///
    /// - Parameters:
    ///   - domains: the domains.
    ///   - isQuiet: whether only what is wrong is said.
    ///   - outcome: is told what became of each.
    ///   - body: takes the steps of a pass.
    func work(
        on domains: [DomainName], isQuiet: Bool = false, _ outcome: inout RotationOutcome,
        _ body: (KeyRotator, DomainName, RotationPass) throws(RotationFailure) -> DomainRotation
    ) {
        guard let hosts, domains.count > 1 else {
            for domain in domains {
                outcome.take(domain, isQuiet: isQuiet) { () throws(RotationFailure) in
                    try body(rotator(for: domain), domain, .all)
                }
            }
            return
        }
        let results = RotationPasses(rotator, hosts).run(domains) {
            (domain) throws(RotationFailure) in
            try body(rotator(for: domain), domain, .local)
        }
        for (domain, result) in results {
            outcome.take(domain, isQuiet: isQuiet) { () throws(RotationFailure) in
                try result.get()
            }
        }
    }

    /// Brings the lists of those that sign to the other hosts, and removes there what is gone here.
    func synchronize() throws {
        guard !configuration.syncHosts.isEmpty else { return }
        try lease?.require()
        do throws(MethodFailure) {
            try HostSync(tree, configuration, lease).run()
        } catch {
            throw CommandFailure(.tempFail, error.description)
        }
    }

    /// The domains whose state is kept, and of the others those whose signing keys are older than an age.
    func domainsAtWork(olderThan age: Int64?) throws -> (moving: [DomainName], old: [DomainName]) {
        guard let domains = tree.domains()?.domains else {
            throw CommandFailure(.noInput, "\(tree.root): \(SystemError.last)")
        }
        let now = TimeSource.system.seconds()
        var moving: [DomainName] = []
        var old: [DomainName] = []
        for domain in domains {
            let folder = "\(tree.root)/\(domain.ascii)"
            if unsafe access("\(folder)/\(DomainRotation.fileName)", F_OK) == 0 {
                moving.append(domain)
            }
            guard let age, case .selectors(let selectors) = tree.selection(of: domain) else {
                continue
            }
            let isOld = selectors.contains { selector in
                tree.keyFile(selector, of: domain).flatMap(FileAge.made).map { now - $0 > age }
                    ?? false
            }
            if isOld { old.append(domain) }
        }
        return (moving, old)
    }
}

extension HostSync {
    /// Copies to the hosts of SyncHosts.
    fileprivate init(
        _ tree: KeyTree, _ configuration: RotationConfiguration, _ lease: RotationLease?
    ) {
        self.init(
            tree, hosts: configuration.syncHosts, shell: configuration.syncShell,
            seconds: configuration.programSeconds, leader: lease)
    }
}
