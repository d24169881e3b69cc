internal import MailSyntax
internal import PostfixConfiguration

/// Programs beside Postfix and the suite: those that it replaces, that trust its results, or that read its log.
enum NeighbourChecks {
    /// The services that ours replace.
    private static let peers = [
        "opendkim", "opendmarc", "openarc", "dkimpy-milter", "dkimproxy", "pyspf-milter",
    ]

    /// Predecessors that still start, and files of theirs that nobody reads.
    static let predecessors = Check.ofFiles("peer", "Predecessors", fine: "none of them starts") {
        host, tree in
        guard tree.exists("/etc/signet") else { return [] }
        let milters = host.postfix.map { MilterChain.all($0, host.suite).flatMap(\.milters) } ?? []
        let wants = tree.names(in: "/etc/systemd/system/multi-user.target.wants")
        return peers.flatMap { name -> [Diagnosis] in
            var findings: [Diagnosis] = []
            let unit = "\(name).service"
            let role: MilterEndpoint.Role = name == "opendmarc" ? .otherDMARC : .otherSigner
            let isAsked = milters.contains { $0.role == role }
            // What Postfix still asks must not be stopped; that comes first, and is said by itself.
            if wants.contains(unit), !isAsked {
                let link = "/etc/systemd/system/multi-user.target.wants/\(unit)"
                findings.append(
                    Diagnosis(
                        .peerEnabled, name, "\(link) starts it with the host",
                        mend: .command("systemctl disable --now \(name)")))
            }
            let defaults = "/etc/default/\(name)"
            let lines = (tree.text(defaults) ?? "").split(separator: "\n")
            if let line = lines.first(where: { $0.hasPrefix("SOCKET=") }), isAsked {
                findings.append(
                    Diagnosis(
                        .peerDefaultIgnored, defaults, "it has \(Shown.text(String(line)))",
                        mend: .line(nil, file: defaults, insteadOf: String(line))))
            }
            return findings
        }
    }

    /// Dovecot's submission service, which hands mail on to Postfix.
    static let dovecot = Check.ofFiles("dovecot", "Dovecot", fine: "its submission fits Postfix") {
        host, tree in
        guard let values = host.postfix?.values else { return [] }
        let files =
            ["/etc/dovecot/dovecot.conf", "/etc/dovecot/local.conf"]
            + tree.names(in: "/etc/dovecot/conf.d").filter { $0.hasSuffix(".conf") }
            .map { "/etc/dovecot/conf.d/\($0)" }
        let settings = files.flatMap { setting("submission_relay_trusted", tree.text($0)) }
        guard settings.last == "yes" else { return [] }
        let clients =
            host.postfix?.listeners.contains { listener in
                !listener.values.list("smtpd_authorized_xclient_hosts").isEmpty
            } ?? false
        guard !clients, values.list("smtpd_authorized_xclient_hosts").isEmpty else { return [] }
        return [
            Diagnosis(
                .dovecotXCLIENT, "submission_relay_trusted",
                "it is yes, and smtpd_authorized_xclient_hosts is empty",
                mend: .parameter("smtpd_authorized_xclient_hosts", "127.0.0.0/8 [::1]/128"))
        ]
    }

    /// Whom SpamAssassin and Sieve scripts believe.
    static let trust = Check.ofFiles(
        "trust", "Authentication-Results",
        fine: "the programs that read our results use our authserv-id",
        isInbound: true
    ) { host, tree in
        guard let hostName = host.postfix?.values["myhostname"]?.lowercased(),
            tree.exists("/etc/signet/dmarc.conf") || tree.exists("/etc/signet/dkim.conf")
        else { return [] }
        let name = AuthservName.of("dmarc", tree) ?? AuthservName.of("dkim", tree) ?? hostName
        var findings: [Diagnosis] = []
        let local = "/etc/spamassassin/local.cf"
        let lines = (tree.text(local) ?? "").split(separator: "\n").map(String.init)
        let trusting = lines.filter { $0.hasPrefix("authres_trusted_authserv ") }
        let trusted = trusting.flatMap { $0.lowercased().split(separator: " ").dropFirst() }
        if let line = trusting.first, !trusted.contains(where: { $0 == name }) {
            findings.append(
                Diagnosis(
                    .trustSpamAssassin, local, "it has \(Shown.text(line)), and ours is \(name)",
                    mend: .line("authres_trusted_authserv \(name)", file: local, insteadOf: line)))
        }
        for folder in ["/etc/dovecot/sieve", "/var/lib/dovecot/sieve", "/var/mail/sieve"] {
            for file in tree.names(in: folder) where file.hasSuffix(".sieve") {
                let path = "\(folder)/\(file)"
                let text = (tree.text(path) ?? "").lowercased()
                guard text.contains("\"authentication-results\""), !text.contains(name) else {
                    continue
                }
                findings.append(
                    Diagnosis(
                        .trustSieve, path,
                        "it reads Authentication-Results and does not ask for \(name)",
                        mend: .words("have it compare the beginning of the field with \(name)")))
            }
        }
        return findings
    }

    /// Programs that read the log.
    static let watchers = Check.ofFiles(
        "watch", "Log readers", fine: "fail2ban and CrowdSec, where they are, read our lines",
        isInbound: true
    ) { _, tree in
        var findings: [Diagnosis] = []
        if tree.exists("/etc/crowdsec/parsers/s01-parse/signet-logs.yaml") {
            let files =
                ["/etc/crowdsec/acquis.yaml"]
                + tree.names(in: "/etc/crowdsec/acquis.d").map { "/etc/crowdsec/acquis.d/\($0)" }
            if !files.contains(where: { tree.text($0)?.contains("signet") == true }) {
                findings.append(
                    Diagnosis(
                        .watchCrowdSec, "/etc/crowdsec/acquis.yaml", "it does not name our units",
                        mend: .words(
                            "add a source: journalctl with the filters _SYSTEMD_UNIT=signet-dmarc.service "
                                + "and signet-spf.service, labels type: signet")))
            }
        }
        if tree.exists("/etc/fail2ban/filter.d/signet.conf") {
            let files =
                ["/etc/fail2ban/jail.local", "/etc/fail2ban/jail.conf"]
                + tree.names(in: "/etc/fail2ban/jail.d").map { "/etc/fail2ban/jail.d/\($0)" }
            if !files.contains(where: { tree.text($0)?.contains("[signet") == true }) {
                findings.append(
                    Diagnosis(
                        .watchFail2ban, "/etc/fail2ban/jail.d", "no jail is named signet",
                        mend: .words(
                            "add a jail named signet with filter = signet, as "
                                + "/etc/fail2ban/jail.d/signet.conf of signet-tools has it")))
            }
        }
        return findings
    }

    /// Names and resolvers of the host.
    static let system = Check.ofFiles("host", "This host", fine: "its name and resolver fit") {
        host, tree in
        var findings: [Diagnosis] = []
        if let name = host.heloDomain?.ascii {
            for line in (tree.text("/etc/hosts") ?? "").split(separator: "\n").map(String.init) {
                let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
                guard let address = words.first.flatMap({ IPAddress($0) }), address.isLoopback,
                    words.dropFirst().contains(where: { $0.lowercased() == name })
                else { continue }
                let own = host.addresses.first.map { "\($0)\t\(name)" }
                findings.append(
                    Diagnosis(
                        .nameLoopback, name, "/etc/hosts gives it the address \(address)",
                        mend: .line(own, file: "/etc/hosts", insteadOf: line)))
            }
        }
        let asksLists = host.postfix.map { postfix in
            RestrictionList.parameters.contains { name in
                postfix.values.list(name).contains {
                    $0.hasPrefix("reject_rbl_client") || $0.hasPrefix("reject_rhsbl_")
                }
            } || !postfix.values.list("postscreen_dnsbl_sites").isEmpty
        }
        let servers = (tree.text("/etc/resolv.conf") ?? "").split(separator: "\n").compactMap {
            line -> String? in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
        }
        if asksLists == true, let server = servers.first(where: publicResolvers.contains) {
            findings.append(
                Diagnosis(
                    .resolverPublic, "/etc/resolv.conf",
                    "the resolver is \(server), and Postfix asks block lists",
                    mend: .words("run a resolver here, such as unbound, and name 127.0.0.1")))
        }
        return findings
    }

    /// Resolvers that block lists refuse.
    private static let publicResolvers: Set<String> = [
        "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844", "1.1.1.1", "1.0.0.1",
        "2606:4700:4700::1111", "2606:4700:4700::1001", "9.9.9.9", "149.112.112.112",
        "208.67.222.222", "208.67.220.220",
    ]

    /// The values of a setting in a file of Dovecot's, in order.
    private static func setting(_ name: String, _ text: String?) -> [String] {
        (text ?? "").split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "=", maxSplits: 1).map { part in
                part.filter { $0 != " " && $0 != "\t" }
            }
            return parts.count == 2 && parts[0] == name ? parts[1] : nil
        }
    }
}
