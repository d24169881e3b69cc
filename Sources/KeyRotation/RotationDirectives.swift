package import Configuration
package import MailDNS
package import MailSyntax

/// The directives of rotate.conf(5): how `signet key rotate` works.
package enum RotationDirectives {
    /// The usual file.
    package static let file = "/etc/signet/rotate.conf"

    /// All of them.
    package static let schema = ConfigurationSchema([
        DirectiveSpec(
            "Method", .word(["show", "nsupdate", "hook", "zonefile"]), default: "show",
            "How records get into the DNS."),
        DirectiveSpec(
            "Hook", .path, "The program of Method hook: present|cleanup NAME VALUE TTL."),
        DirectiveSpec(
            "ProgramTimeout", .duration(1...3600), default: "60",
            "How long a hook, nsupdate or rsync may take."),
        DirectiveSpec("UpdateKey", .path, "The file with the TSIG key for Method nsupdate."),
        DirectiveSpec(
            "UpdateServer", .text,
            "Who takes updates, ADDRESS or ADDRESS@PORT; by default the zone's primary."
        ),
        DirectiveSpec("UpdateZone", .text, "The zone of the updates; found by default."),
        DirectiveSpec(
            "ZoneDirectory", .path,
            "The directory of Method zonefile: ZONE.zone, and ZONE.signet that it includes."),
        DirectiveSpec(
            "ZoneReload", .path,
            "A program that is called with the name of a zone that has changed."),
        DirectiveSpec(
            "AliasZone", .text,
            "A zone of ours, to which the domains' owners have pointed two selectors by CNAME."),
        DirectiveSpec(
            "AliasSelectors", .text, default: "signet1,signet2",
            "The two selectors that AliasZone uses in turn."),
        DirectiveSpec(
            "RecordTTL", .duration(1...604_800), default: "1h", "The TTL of the records."),
        DirectiveSpec(
            "QueueLifetime", .duration(1...8_640_000), default: "5d",
            "Postfix's maximal_queue_lifetime."),
        DirectiveSpec(
            "RetireMargin", .duration(0...31_536_000), default: "7d",
            "How much longer than the queue's life a record stays."),
        DirectiveSpec(
            "EmptyBeforeRemoval", .boolean, default: "yes",
            "A record says p= for the time of RetireMargin before it is removed."),
        DirectiveSpec(
            "RevealDirectory", .path,
            "Where private keys of withdrawn selectors are published; destroyed by default."),
        DirectiveSpec("KeyBits", .integer(1024...8192), default: "2048", "The size of RSA keys."),
        DirectiveSpec(
            "RotateEvery", .duration(0...315_360_000), default: "0",
            "The age from which the timer replaces keys of KeyDirectory; 0 for KeyMaximumAge."),
        DirectiveSpec(
            "SyncHosts", .text,
            "Other hosts, as rsync(1) names them, that have each new key before it signs."),
        DirectiveSpec(
            "SyncShell", .text, default: "ssh", "The command by which rsync(1) reaches them."),
        DirectiveSpec(
            "ReportStore", .text, default: "none",
            "The database, postgresql://…, in which several hosts agree which of them rotates."),
        DirectiveSpec(
            "HostName", .text,
            "What this host is called there, as no other is; by default its name."),
        DirectiveSpec(
            "LeaseTime", .duration(1...604_800), default: "1h",
            "How long a host that is heard of no more stays the one that rotates."),
        DirectiveSpec(
            "AuthoritativeServers", .text,
            "The servers to ask, ADDRESS or ADDRESS@PORT with commas; by default those of the zone."
        ),
        DirectiveSpec(
            "Nameservers", .text,
            "The resolvers that find a zone's servers; those of resolv.conf(5) by default."),
    ])
}

/// What rotate.conf says, read and checked.
package struct RotationConfiguration: Sendable {
    /// How records get into the DNS.
    package enum Method: String, Sendable {
        case show, nsupdate, hook, zonefile
    }

    /// How records get into the DNS.
    package var method: Method
    /// The zone of ours that selectors point to; nil where they do not.
    package var aliasZone: DomainName?
    /// Times, and what becomes of keys.
    package var policy: RotationPolicy
    /// Where revealed keys go.
    package var revealDirectory: String?
    /// The other hosts.
    package var syncHosts: [String]
    /// The servers to ask, where not those of the zone.
    package var authorities: [Nameserver]
    /// The resolvers, where not those of the system.
    package var nameservers: [Nameserver]
    /// The command by which rsync reaches them.
    package var syncShell: String
    /// How long a program may take, in seconds.
    package var programSeconds: Double
    /// The address of the database with the lease of the host that rotates; nil where this host is alone.
    package var leaseStore: String?
    /// What this host is called in it; nil for its own name.
    package var hostName: String?
    /// How long the lease is this host's after each time that it is taken, in seconds.
    package var leaseSeconds: Int64

    private let hook: String?
    private let update: NsupdateMethod
    private let zoneDirectory: String?
    private let zoneReload: String?

    /// Reads all directives; usable only when the reader has no errors afterwards.
    package init(_ reader: ConfigurationReader) {
        func seconds(_ directive: String) -> Int64 {
            reader.duration(directive)?.components.seconds ?? 0
        }
        func servers(_ directive: String) -> [Nameserver] {
            guard let text = reader.text(directive) else { return [] }
            do throws(NameserverError) {
                return try Nameserver.list(text)
            } catch {
                reader.report(.error, directive, "\(error)")
                return []
            }
        }
        method = reader.word("Method", as: Method.self) ?? .show
        programSeconds = Double(seconds("ProgramTimeout"))
        var policy = RotationPolicy()
        policy.recordTTL = seconds("RecordTTL")
        policy.queueLifetime = seconds("QueueLifetime")
        policy.margin = seconds("RetireMargin")
        policy.emptiesFirst = reader.boolean("EmptyBeforeRemoval")
        policy.bits = reader.integer("KeyBits") ?? policy.bits
        let interval = seconds("RotateEvery")
        policy.interval = interval > 0 ? interval : nil
        revealDirectory = reader.text("RevealDirectory")
        policy.reveals = revealDirectory != nil
        hook = reader.text("Hook")
        var update = NsupdateMethod()
        update.keyFile = reader.text("UpdateKey")
        update.server = servers("UpdateServer").first
        update.zone = reader.text("UpdateZone")
        update.seconds = programSeconds
        if let zone = update.zone, (try? DomainName(zone)) == nil {
            reader.report(.error, "UpdateZone", "\"\(zone)\" is not a domain")
        }
        self.update = update
        zoneDirectory = reader.text("ZoneDirectory")
        zoneReload = reader.text("ZoneReload")
        authorities = servers("AuthoritativeServers")
        nameservers = servers("Nameservers")
        syncHosts = Self.list(reader.text("SyncHosts"))
        if let host = syncHosts.first(where: { $0.hasPrefix("-") || $0.contains(":") }) {
            reader.report(.error, "SyncHosts", "\"\(host)\" is not HOST or USER@HOST")
        }
        syncShell = reader.text("SyncShell") ?? "ssh"
        leaseStore = Self.leaseStore(reader)
        hostName = reader.text("HostName")
        leaseSeconds = seconds("LeaseTime")
        if let text = reader.text("AliasZone") {
            aliasZone = try? DomainName(text)
            if aliasZone?.isHostName != true {
                reader.report(.error, "AliasZone", "\"\(text)\" is not a domain")
            }
            policy.fixedSelectors = Self.selectors(reader)
        }
        self.policy = policy
        check(method, reader)
        checkLease(reader)
    }

    /// Only a database is shared: with a file, and with nothing, this host is alone.
    private static func leaseStore(_ reader: ConfigurationReader) -> String? {
        guard let text = reader.text("ReportStore"), text != "none", !text.hasPrefix("/") else {
            return nil
        }
        return text
    }

    /// A host that takes over must not meet one that is still in the middle of a step.
    private func checkLease(_ reader: ConfigurationReader) {
        guard leaseStore != nil else { return }
        // The longest step copies keys and states to each host.
        let longest = Int64(programSeconds) * 2 * Int64(syncHosts.count + 1)
        guard leaseSeconds < longest else { return }
        reader.report(
            .error, "LeaseTime",
            "is shorter than a step may take: \(syncHosts.count) hosts in SyncHosts, and ProgramTimeout",
            suggestion: "\(longest)s or more")
    }

    private func check(_ method: Method, _ reader: ConfigurationReader) {
        if method == .hook, hook == nil {
            reader.report(.error, "Hook", "is missing beside Method hook")
        }
        if method == .zonefile, zoneDirectory == nil {
            reader.report(.error, "ZoneDirectory", "is missing beside Method zonefile")
        }
    }

    private static func selectors(_ reader: ConfigurationReader) -> [String] {
        let names = list(reader.text("AliasSelectors"))
        let areValid = names.allSatisfy { (try? DomainName($0))?.isHostName == true }
        if !areValid || Set(names).count != 2 {
            reader.report(.error, "AliasSelectors", "are not two selectors with a comma")
        }
        return names
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }

    /// The way to change records; `say` has what a person is to do, `log` what a program says.
    package func recordMethod(
        say: @escaping @Sendable (String) -> Void, log: @escaping @Sendable (String) -> Void
    ) -> any RecordMethod {
        let inner: any RecordMethod =
            switch method {
            case .show: ShowMethod(show: say)
            case .nsupdate: update
            case .hook: HookMethod(hook ?? "", seconds: programSeconds, log: log)
            case .zonefile:
                ZoneFileMethod(
                    directory: zoneDirectory ?? "", reload: zoneReload, seconds: programSeconds)
            }
        guard let aliasZone else { return inner }
        return AliasMethod(zone: aliasZone, inner: inner)
    }
}
