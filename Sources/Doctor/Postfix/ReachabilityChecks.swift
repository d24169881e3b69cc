internal import PostfixConfiguration

/// Whether Postfix reaches the sockets that it is told to connect to, from where it runs and as the user that it is.
enum ReachabilityChecks {
    /// The milters of every list.
    static let milters = Check.ofPostfix(
        "postfix.milter.reach", fine: "Postfix reaches the milters that it names"
    ) { host, postfix in
        MilterChain.all(postfix, host.suite).flatMap { chain in
            chain.milters.compactMap { milter in
                Reach(milter, isChrooted: chain.isChrooted(postfix), host, postfix).finding(
                    .milterUnreachable, subject: chain.subject
                ) { _ in MilterProposal(chain, host, postfix).mend }
            }
        }
    }

    /// The policy services of every list of restrictions.
    static let policies = Check.ofPostfix(
        "postfix.policy.reach", fine: "Postfix reaches the policy services that it names",
        isInbound: true
    ) { host, postfix in
        PolicyUse.all(postfix, host.suite).compactMap { use in
            if let service = use.spawned, postfix.master?.service("\(service)/unix") == nil {
                let canBeOurs = use.checksSPF && Incumbents.isReady("spf", host)
                return Diagnosis(
                    .policyUnreachable, use.list.parameter,
                    "\(use.endpoint.address) is no service of master.cf",
                    mend: canBeOurs
                        ? RestrictionProposal(use.list, host, postfix).mend
                        : .words("add the service \(service) to master.cf, or take it out"))
            }
            guard use.spawned == nil else { return nil }
            return Reach(use.endpoint, isChrooted: use.isChrooted, host, postfix).finding(
                .policyUnreachable, subject: use.list.parameter
            ) { _ in RestrictionProposal(use.list, host, postfix).mend }
        }
    }
}

/// Where one endpoint leads, as the service that uses it sees it.
struct Reach {
    private let endpoint: MilterEndpoint
    private let isChrooted: Bool
    private let host: HostView
    private let postfix: PostfixView

    /// Prepares to look.
    init(_ endpoint: MilterEndpoint, isChrooted: Bool, _ host: HostView, _ postfix: PostfixView) {
        self.endpoint = endpoint
        self.isChrooted = isChrooted
        self.host = host
        self.postfix = postfix
    }

    /// What keeps Postfix from it; nil where nothing does.
    ///
    /// - Parameters:
    ///   - kind: what is said where nobody listens.
    ///   - subject: the list that names it.
    ///   - mend: makes the mend that gives the list another address.
    /// - Returns: the finding.
    func finding(_ kind: DiagnosisKind, subject: String, mend: (String) -> Mend) -> Diagnosis? {
        guard let path = endpoint.path, let tree = host.tree else { return nil }
        if !isListening(path) { return elsewhere(path, kind, subject, mend) }
        if tree.exists(path) { return permission(path, subject, tree) }
        return unitPermission(path, subject)
    }

    /// Whether somebody listens at a path: a socket that is there, or one that a unit or configuration of ours names.
    private func isListening(_ path: String) -> Bool {
        if host.tree?.exists(path) == true { return true }
        guard case .ours(let name) = endpoint.role else {
            // On a tree nothing runs, and of others' sockets nothing is known.
            return host.tree?.isLive == false
        }
        return host.suite.sockets(of: name).contains { $0.path == path }
            && host.tree?.isLive == false
    }

    /// The address at which the same filter listens, where nobody does at the one that is named; nil where none is known.
    var betterAddress: String? {
        guard let path = endpoint.path, !isListening(path) else { return nil }
        let queue = postfix.queueDirectory + "/"
        // The absolute path is right for a service that is not in the queue directory.
        if isChrooted, let absolute = endpoint.absolute, isListening(absolute) {
            return absolute.hasPrefix(queue) ? "unix:\(absolute.dropFirst(queue.count))" : nil
        }
        guard case .ours(let name) = endpoint.role else { return nil }
        let places = host.suite.sockets(of: name).map(\.path)
        let other = places.first { $0.hasPrefix(queue) }
            .map { "unix:\($0.dropFirst(queue.count))" }
        return other == endpoint.address ? nil : other
    }

    private func elsewhere(
        _ path: String, _ kind: DiagnosisKind, _ subject: String, _ mend: (String) -> Mend
    ) -> Diagnosis {
        let queue = postfix.queueDirectory + "/"
        if isChrooted, let absolute = endpoint.absolute, isListening(absolute) {
            return Diagnosis(
                .milterChroot, subject,
                "\(endpoint.address) is looked for at \(path) by a service that runs in \(queue)",
                mend: betterAddress.map(mend)
                    ?? .words("have it listen below \(queue), and name it without that part"))
        }
        let isPlace: Bool
        if case .ours(let name) = endpoint.role {
            isPlace = host.suite.sockets(of: name).contains { $0.path.hasPrefix(queue) }
        } else {
            isPlace = false
        }
        return Diagnosis(
            kind, subject, "nobody listens at \(endpoint.address) (\(path))",
            mend: betterAddress.map(mend)
                ?? (isPlace
                    ? .command("systemctl start signet-\(shortName).socket")
                    : .words("start the program, or take the address out of \(subject)")))
    }

    private var shortName: String {
        if case .ours(let name) = endpoint.role { name } else { "" }
    }

    /// Whether the user that Postfix runs as may connect (unix(7): write on the socket, search on its directories).
    private func permission(_ path: String, _ subject: String, _ tree: HostFiles) -> Diagnosis? {
        let owner = postfix.values["mail_owner"] ?? "postfix"
        guard let user = host.accounts.user(owner), let status = tree.status(path) else {
            return nil
        }
        let groups = host.accounts.groups(of: owner)
        if let directory = closedDirectory(above: path, user, groups, tree) {
            return Diagnosis(
                .milterPermission, subject,
                "user \(owner) may not enter \(directory), where \(endpoint.address) is",
                mend: .command("chmod o+x \(directory)"))
        }
        guard status.allows(2, user: user, groups: groups) else {
            return Diagnosis(
                .milterPermission, subject,
                "user \(owner) may not write to \(path) (mode \(status.octal), "
                    + "\(host.accounts.name(ofUser: status.user)):\(host.accounts.name(ofGroup: status.group)))",
                mend: .command("chgrp \(owner) \(path) && chmod 0660 \(path)"))
        }
        // A policy service speaks first when it is asked.
        guard endpoint.role != .ours("spf"), let complaint = host.negotiate?(path) else {
            return nil
        }
        return Diagnosis(
            .milterUnreachable, subject, "\(endpoint.address) does not answer: \(complaint)",
            mend: .words("look at the daemon's log; restart it"))
    }

    private func closedDirectory(
        above path: String, _ user: UInt32, _ groups: Set<UInt32>, _ tree: HostFiles
    ) -> String? {
        var directory = path[...]
        while let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
            directory = directory[..<slash]
            // A chrooted service is in its root already.
            if isChrooted, directory == postfix.queueDirectory[...] { return nil }
            guard let status = tree.status(String(directory)) else { continue }
            if !status.allows(1, user: user, groups: groups) { return String(directory) }
        }
        return nil
    }

    /// Whether the unit that will make the socket gives Postfix access to it.
    private func unitPermission(_ path: String, _ subject: String) -> Diagnosis? {
        guard case .ours(let name) = endpoint.role,
            let socket = host.suite.sockets(of: name).first(where: { $0.path == path }),
            let mode = socket.mode
        else { return nil }
        let owner = postfix.values["mail_owner"] ?? "postfix"
        let isMember = socket.group.map { group in
            group == owner
                || host.accounts.group(group).map(host.accounts.groups(of: owner).contains) == true
        }
        guard mode & 0o002 == 0, mode & 0o020 == 0 || isMember != true else { return nil }
        return Diagnosis(
            .milterPermission, subject,
            "\(socket.source) gives the socket to group \(socket.group ?? "root") with mode "
                + String(mode, radix: 8),
            mend: .words("write SocketGroup=\(owner) and SocketMode=0660 there"))
    }
}
