internal import PostfixConfiguration

/// Whether our own configuration is in order.
enum SuiteChecks {
    /// The daemons.
    private static let daemons = ["dkim", "dmarc", "spf", "scrub"]

    /// What each daemon says of its configuration.
    static let configurations = Check.ofFiles(
        "signet.configuration", "Signet", fine: "the daemons find no error in their configurations"
    ) { host, tree in
        let present = daemons.filter { tree.exists("/etc/signet/\($0).conf") }
        guard let check = host.checkConfiguration, !present.isEmpty else {
            return [
                .skipped(
                    "signet.configuration", "Signet",
                    present.isEmpty
                        ? "there is no configuration in /etc/signet"
                        : "the daemons are asked on the running host only (signet-NAME -n)")
            ]
        }
        return present.flatMap { name -> [Diagnosis] in
            let file = "/etc/signet/\(name).conf"
            guard let complaints = check("signet-\(name)", file) else {
                return [
                    .skipped(
                        "signet.configuration", file, "signet-\(name) is not installed here")
                ]
            }
            guard let first = complaints.first else { return [] }
            let more = complaints.count > 1 ? " (and \(complaints.count - 1) more)" : ""
            return [
                Diagnosis(
                    .configurationInvalid, file, Shown.text(first) + more,
                    mend: .command("signet-\(name) -n -x \(file)"))
            ]
        }
    }

    /// Whether the daemons act at all.
    static let shadows = Check.ofFiles("signet.shadow", "Signet", fine: "the daemons act on mail") {
        _, tree in
        daemons.compactMap { name in
            guard let file = SuiteConfiguration(name, tree), file.boolean("Shadow") else {
                return nil
            }
            return Diagnosis(
                .shadow, file.path, "Shadow is \(file.text("Shadow") ?? "yes")",
                mend: .words(
                    "\"signet migrate --shadow\" says what differs, and \"signet migrate --finish\" ends it"
                ))
        }
    }

    /// Whether the signer can read its keys, and nobody else.
    static let keys = Check.ofFiles(
        "dkim.key", "Keys", fine: "the signer alone can read its keys"
    ) { host, tree in
        let domains = host.signing.domains + host.domains
        var seen: Set<String> = []
        let paths = domains.flatMap { host.signing.keys(for: $0).map(\.path) }
            .filter { seen.insert($0).inserted }
        return paths.compactMap { key($0, host, tree) }
    }

    private static func key(_ path: String, _ host: HostView, _ tree: HostFiles) -> Diagnosis? {
        // That a file is missing is said with what it signs for.
        guard let status = tree.status(path) else { return nil }
        let user = "signet-dkim"
        let groups = host.accounts.groups(of: user)
        let isGroupSafe = status.mode & 0o040 == 0 || groups.contains(status.group)
        if status.mode & 0o007 != 0 || status.mode & 0o030 != 0 || !isGroupSafe {
            return Diagnosis(
                .keyMode, path, "its mode is \(status.octal)", mend: .mode(path, octal: "0600"))
        }
        guard let number = host.accounts.user(user),
            !status.allows(4, user: number, groups: groups)
        else { return nil }
        return Diagnosis(
            .keyOwner, path,
            "it belongs to \(host.accounts.name(ofUser: status.user)), and \(user) may not read it",
            mend: .owner(path, "\(user):\(user)"))
    }

    /// Whether the report store can be where the configuration has it.
    static let store = Check.ofFiles(
        "signet.store", "Report store", fine: "the report store has a place", isInbound: true
    ) { _, tree in
        guard let file = SuiteConfiguration("dmarc", tree), let path = file.text("ReportStore"),
            path.hasPrefix("/"), let slash = path.lastIndex(of: "/")
        else { return [] }
        let directory = String(path[..<slash])
        guard !directory.isEmpty, directory != "/var/lib/signet-dmarc", !tree.exists(directory)
        else { return [] }
        return [
            Diagnosis(
                .storeDirectory, file.path, "ReportStore is \(path), and there is no \(directory)",
                mend: .command("install -d -o signet-dmarc -g signet-dmarc -m 0750 \(directory)"))
        ]
    }

    /// Whether results under one name are whose they seem to be.
    static let results = Check.ofPostfix(
        "postfix.results", fine: "filters write results under authserv-ids of their own"
    ) { host, postfix in
        guard let tree = host.tree else { return [] }
        let hostName = postfix.values["myhostname"]?.lowercased() ?? ""
        let chains = MilterChain.all(postfix, host.suite).filter { $0.listener != nil }
        let milters = chains.flatMap(\.milters)
        let ours = ["dkim", "dmarc"].filter { name in milters.contains { $0.isOurs(name) } }
        guard !ours.isEmpty else { return [] }
        var findings = chains.flatMap { seconds($0, host, postfix) }
        let names = ours.map { AuthservName.of($0, tree) ?? hostName }
        if let spf = SuiteConfiguration("spf", tree), spf.text("Header_Type")?.uppercased() == "AR",
            PolicyUse.all(postfix, host.suite).contains(where: { $0.endpoint.isOurs("spf") })
        {
            let name = AuthservName.of("spf", tree) ?? hostName
            if names.contains(name) {
                findings.append(
                    Diagnosis(
                        .resultsRemoved, spf.path,
                        "signet-spf writes Authentication-Results as \(name), as the milters do",
                        mend: .line(
                            "Authserv_Id         spf.\(name)", file: spf.path, insteadOf: nil)))
            }
        }
        return findings
    }

    /// Filters of others that do the work of ours in the same list a second time.
    private static func seconds(
        _ chain: MilterChain, _ host: HostView, _ postfix: PostfixView
    ) -> [Diagnosis] {
        chain.milters.compactMap { other in
            guard let name = Incumbents.successor(of: other), chain.has(name),
                !Incumbents.onlyCompares(name, host)
            else { return nil }
            let what =
                name == "dkim"
                ? "another DKIM filter is in the list: \(other.address)"
                : "beside signet-dmarc another DMARC filter is in the list: \(other.address)"
            return Diagnosis(
                name == "dkim" ? .secondSigner : .resultsSharedName, chain.subject, what,
                mend: Incumbents.isReady(name, host)
                    ? MilterProposal(chain, host, postfix).mend
                    : .words("take \(other.address) out of the list, and stop its service"))
        }
    }
}

/// The authserv-ids that our daemons use.
enum AuthservName {
    /// The name in a daemon's configuration, in small letters; nil where that leaves it to the host's name.
    static func of(_ daemon: String, _ tree: HostFiles) -> String? {
        guard let file = SuiteConfiguration(daemon, tree) else { return nil }
        let name = file.text("AuthservID") ?? file.text("Authserv_Id")
        guard let name, name != "HOSTNAME" else { return nil }
        return name.lowercased()
    }
}
