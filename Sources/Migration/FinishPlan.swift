internal import PostfixConfiguration
package import Setup

/// What `signet migrate --finish` changes: Postfix asks Signet's daemons where it asked the peers'.
package struct FinishPlan: Sendable {
    /// What changes.
    package private(set) var changes: [FileChange] = []
    /// What was put in the place of what: `PLACE: OLD -> NEW`.
    package private(set) var swaps: [String] = []
    /// What the postmaster should know.
    package private(set) var notes: [String] = []
    /// Why nothing can be changed; empty where all can.
    package private(set) var obstacles: [String] = []

    private var main: MainConfiguration
    private var master: MasterConfiguration
    private let sockets: PeerSockets
    private var daemons: Set<SignetDaemon> { sockets.daemons }

    private static let mainPath = "/etc/postfix/main.cf"
    private static let masterPath = "/etc/postfix/master.cf"
    private static let lists = ["smtpd_milters", "non_smtpd_milters"]

    /// Plans for a host.
    ///
    /// - Parameters:
    ///   - tree: the host's files.
    ///   - peers: the peers whose configuration was taken over.
    /// - Throws: where a file is there and cannot be read.
    package init(
        _ tree: FileTree, peers: [(peer: Peer, file: String)]
    ) throws(FileFault) {
        let mainFile = try tree.file(Self.mainPath)
        let masterFile = try tree.file(Self.masterPath)
        main = MainConfiguration(mainFile?.contents ?? [])
        master = MasterConfiguration(masterFile?.contents ?? [])
        sockets = try PeerSockets(tree, peers)
        for daemon in SignetDaemon.allCases where sockets.daemons.contains(daemon) {
            if try tree.file(daemon.configuration) == nil {
                obstacles.append("\(daemon.configuration) is missing: run signet migrate first")
            }
        }
        guard obstacles.isEmpty, let mainFile, let masterFile else { return }
        for name in Self.lists + ["smtpd_recipient_restrictions"] {
            removeShadows(name)
            swapInMain(name)
        }
        for service in master.services { swap(in: service) }
        removeSpawnedPolicyService()
        for (path, before, octets) in [
            (Self.masterPath, masterFile, master.octets), (Self.mainPath, mainFile, main.octets),
        ] where before.contents != octets {
            var after = before
            after.contents = octets
            changes.append(FileChange(path: path, before: before, after: after))
        }
        for daemon in SignetDaemon.allCases where daemons.contains(daemon) {
            guard let before = try tree.file(daemon.configuration) else { continue }
            var text = DirectiveText(before.contents)
            text.remove("Shadow")
            guard text.octets != before.contents else { continue }
            var after = before
            after.contents = text.octets
            changes.append(FileChange(path: daemon.configuration, before: before, after: after))
            swaps.append(
                "\(daemon.configuration): Shadow is taken out: signet-\(daemon.rawValue) acts")
        }
        for (peer, _) in peers where peer != .policydSPF {
            notes.append("when a test message has passed: systemctl disable --now \(peer.rawValue)")
        }
        if peers.contains(where: { $0.peer == .dkimproxy }) {
            notes.append(
                "take the proxy's content_filter and its listeners out of master.cf, "
                    + "and add \(SignetDaemon.dkim.endpoint) to smtpd_milters")
        }
    }

    /// What only compared is not in the peer's place; where the peer is there, that becomes ours.
    private mutating func removeShadows(_ name: String) {
        let items = main.items(of: name)
        guard let kept = withoutShadows(items) else { return }
        if name.hasSuffix("_restrictions") {
            return main.set(name, to: Restrictions.parts(kept).joined(separator: ", "))
        }
        for item in items where !kept.contains(item) { main.removeItem(item, from: name) }
    }

    /// A list without ours where the peer is in it too; nil where nothing is to be taken out.
    private func withoutShadows(_ items: [String]) -> [String]? {
        let peers = Set(items.filter { $0.contains(":") }.compactMap(sockets.successor(of:)))
        let parts = Restrictions.parts(items)
        let kept = parts.filter { part in
            !PostfixList.items(part).contains { item in peers.contains { $0.isNamed(by: item) } }
        }
        return kept.count < parts.count ? kept.flatMap(PostfixList.items) : nil
    }

    private mutating func swapInMain(_ name: String) {
        for item in main.items(of: name) where item.contains(":") {
            guard let daemon = sockets.successor(of: item) else { continue }
            if main.items(of: name).contains(daemon.endpoint) {
                main.removeItem(item, from: name)
            } else {
                main.replace(item, with: daemon.endpoint, in: name)
            }
            swaps.append("main.cf, \(name): \(item) -> \(daemon.endpoint)")
        }
    }

    private mutating func swap(in service: MasterService) {
        for name in Self.lists + ["smtpd_recipient_restrictions"] {
            guard let option = service.option(name) else { continue }
            let old = PostfixList.items(option.value)
            let without = withoutShadows(old) ?? old
            var new: [String] = []
            for item in without {
                let endpoint = item.contains(":") ? sockets.successor(of: item)?.endpoint : nil
                if let endpoint {
                    swaps.append("master.cf, \(service.key), \(name): \(item) -> \(endpoint)")
                }
                if endpoint == nil || !new.contains(endpoint ?? "") { new.append(endpoint ?? item) }
            }
            if new != old {
                master.setOption(name, of: service.key, to: new.joined(separator: ","))
            }
        }
    }

    /// policyd-spf's spawn(8) line is of no use any more, unless something else names it.
    private mutating func removeSpawnedPolicyService() {
        guard daemons.contains(.spf) else { return }
        for service in master.services(running: "spawn")
        where service.arguments.contains(where: { $0.contains("policyd-spf") }) {
            let name = "private/\(service.name)"
            let isUsed =
                main.settings.contains { $0.value.contains(name) }
                || master.services.contains { $0.options.contains { $0.value.contains(name) } }
            guard !isUsed else { continue }
            master.remove(service.key)
            main.remove("\(service.name)_time_limit")
            swaps.append("master.cf: \(service.key), spawn(8), is not needed any more")
        }
    }
}
