internal import PostfixConfiguration

/// Programs of others that still do the work of daemons of ours that are installed.
enum Incumbents {
    /// The configurations of those that `signet migrate` takes over, by the daemon that does their work here.
    private static let configurations = [
        "dkim": ["/etc/opendkim.conf", "/etc/dkimpy-milter/dkimpy-milter.conf"],
        "dmarc": ["/etc/opendmarc.conf"],
        "spf": ["/etc/postfix-policyd-spf-python/policyd-spf.conf"],
    ]

    /// Whether a daemon can do the work at once: it is there, acts, and has its keys or what was the other's configuration.
    static func isReady(_ name: String, _ host: HostView) -> Bool {
        guard isThere(name, host), let tree = host.tree else { return false }
        guard name != "dkim" else { return host.signsHere }
        let isMade = tree.text("/etc/signet/\(name).conf")?.contains("by signet migrate") == true
        return isMade || !(configurations[name] ?? []).contains(where: tree.exists)
    }

    /// Whether a daemon is installed, and for more than to compare.
    private static func isThere(_ name: String, _ host: HostView) -> Bool {
        host.tree != nil && host.isInstalled(name) && !onlyCompares(name, host)
    }

    /// Whether a daemon does nothing to mail and is there beside another program, as "signet migrate --shadow" has it.
    static func onlyCompares(_ name: String, _ host: HostView) -> Bool {
        host.tree.flatMap { SuiteConfiguration(name, $0) }?.boolean("Shadow") == true
    }

    /// Whether a milter is a daemon of ours that only compares.
    static func onlyCompares(_ milter: MilterEndpoint, _ host: HostView) -> Bool {
        if case .ours(let name) = milter.role { onlyCompares(name, host) } else { false }
    }

    /// The daemon of ours that does what a milter of others does; nil for ours, and for other filters.
    static func successor(of milter: MilterEndpoint) -> String? {
        switch milter.role {
        case .otherSigner: "dkim"
        case .otherDMARC: "dmarc"
        case .ours, .other: nil
        }
    }

    /// The milters of ours, with their whole names, whose places others have in lists for mail that comes by SMTP.
    static func places(_ host: HostView, _ postfix: PostfixView) -> [String] {
        let chains = MilterChain.all(postfix, host.suite).filter { $0.listener != nil }
        return milters.filter { name in chains.contains { !held($0, name, host).isEmpty } }
            .map { "signet-\($0)" }
    }

    private static let milters = ["dkim", "dmarc"]

    /// The milters that have the place of one of ours in a list.
    private static func held(
        _ chain: MilterChain, _ name: String, _ host: HostView
    ) -> [MilterEndpoint] {
        guard isThere(name, host), !chain.has(name) else { return [] }
        return chain.milters.filter { successor(of: $0) == name }
    }

    /// The policy services that have the place of signet-spf in a list.
    private static func held(
        _ list: RestrictionList, _ host: HostView, _ postfix: PostfixView
    ) -> [PolicyUse] {
        let uses = PolicyUse.all(list, postfix, host.suite).filter(\.checksSPF)
        guard isThere("spf", host), !uses.contains(where: { $0.endpoint.isOurs("spf") }),
            // What a second setting drops is said by itself.
            !postfix.main.replaced(list.parameter).contains(where: {
                $0.value.contains("signet/spf")
            })
        else { return [] }
        return uses.filter { use in
            use.spawned.map { postfix.master?.service("\($0)/unix") != nil } ?? true
        }
    }

    // MARK: What mends it

    private static let migration = Mend.command(
        "signet migrate --copy-keys && signet migrate --finish")

    /// What a list has to wait for, because what its filters are told has not been taken over; nil where it need not.
    static func migration(for chain: MilterChain, _ host: HostView) -> Mend? {
        milters.contains { !held(chain, $0, host).isEmpty && !isReady($0, host) } ? migration : nil
    }

    /// What a list has to wait for, because what its policy service is told has not been taken over; nil where it need not.
    static func migration(
        for list: RestrictionList, _ host: HostView, _ postfix: PostfixView
    ) -> Mend? {
        isReady("spf", host) || held(list, host, postfix).isEmpty ? nil : migration
    }

    // MARK: The finding

    /// A list in which others have places of ours.
    private struct Place {
        let list: String
        let addresses: [String]
        let names: [String]
        let mend: Mend
    }

    /// What is said of lists in which other programs have the places of ours; once of those that wait for one command.
    static let check = Check.ofPostfix(
        "peer.in-place", fine: "no other program has the place of ours"
    ) { host, postfix in
        var seen: Set<String> = []
        let chains = MilterChain.all(postfix, host.suite)
            .filter { seen.insert($0.subject).inserted }
        let places =
            chains.map { chain in
                let names = milters.filter { !held(chain, $0, host).isEmpty }
                return Place(
                    list: chain.subject,
                    addresses: names.flatMap { held(chain, $0, host).map(\.address) },
                    names: names, mend: MilterProposal(chain, host, postfix).mend)
            }
            + RestrictionList.all(postfix).map { list in
                Place(
                    list: list.owner ?? list.parameter,
                    addresses: held(list, host, postfix).map(\.endpoint.address), names: ["spf"],
                    mend: RestrictionProposal(list, host, postfix).mend)
            }
        let taken = places.filter { !$0.addresses.isEmpty }
        let waiting = taken.filter { $0.mend == migration }
        return (waiting.isEmpty ? [] : [finding(waiting)])
            + taken.filter { $0.mend != migration }.map { finding([$0]) }
    }

    private static func finding(_ places: [Place]) -> Diagnosis {
        func distinct(_ items: [String]) -> [String] {
            var seen: Set<String> = []
            return items.filter { seen.insert($0).inserted }
        }
        let addresses = distinct(places.flatMap(\.addresses))
        let names = distinct(places.flatMap(\.names)).map { "signet-\($0)" }
        let lists = places.map(\.list)
        return Diagnosis(
            .peerInPlace, lists.count == 1 ? lists[0] : "Postfix",
            "\(Shown.list(addresses)) \(addresses.count == 1 ? "has" : "have") the place of "
                + "\(Shown.list(names)), which \(names.count == 1 ? "is" : "are") installed"
                + (lists.count == 1 ? "" : ": in \(Shown.list(lists))"),
            mend: places.first?.mend)
    }
}
