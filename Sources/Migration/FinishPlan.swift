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
    private var sockets: [SignetDaemon: [String]] = [:]
    private let daemons: Set<SignetDaemon>

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
        daemons = Set(peers.compactMap(\.peer.daemonOfSetup))
        for (peer, path) in peers {
            guard let daemon = peer.daemonOfSetup else { continue }
            if try tree.file(daemon.configuration) == nil {
                obstacles.append("\(daemon.configuration) is missing: run signet migrate first")
            }
            let file = try tree.file(path)?.contents ?? []
            sockets[daemon, default: []] += PeerFile.directives(peer, file).filter {
                $0.name.lowercased() == "socket"
            }.map(\.value)
        }
        guard obstacles.isEmpty, let mainFile, let masterFile else { return }
        for name in Self.lists + ["smtpd_recipient_restrictions"] { swapInMain(name) }
        for service in master.services { swap(in: service) }
        removeSpawnedPolicyService()
        for (path, before, octets) in [
            (Self.masterPath, masterFile, master.octets), (Self.mainPath, mainFile, main.octets),
        ] where before.contents != octets {
            var after = before
            after.contents = octets
            changes.append(FileChange(path: path, before: before, after: after))
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

    /// The daemon that an address has been the peer of; nil for any other filter.
    private func successor(of item: String) -> SignetDaemon? {
        let address = PostfixList.endpoint(item).address
        for (daemon, specs) in sockets where specs.contains(where: { Self.isSame(address, $0) }) {
            return daemon
        }
        return Incumbent(address: address).flatMap { SignetDaemon(rawValue: $0.rawValue) }
            .flatMap { daemons.contains($0) ? $0 : nil }
    }

    /// Whether an address in main.cf means a socket in the peer's form: `inet:PORT@HOST`, `local:PATH`.
    private static func isSame(_ address: String, _ spec: String) -> Bool {
        let parts = spec.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let kind = parts.first else { return false }
        if kind.hasPrefix("inet") {
            let port = parts[1].prefix { $0 != "@" }
            return address.hasPrefix("inet") && address.hasSuffix(":\(port)")
        }
        let path = address.split(separator: ":", maxSplits: 1).last ?? ""
        return !address.hasPrefix("inet") && !path.isEmpty
            && (parts[1] == path || parts[1].hasSuffix("/\(path.drop { $0 == "/" })"))
    }

    private mutating func swapInMain(_ name: String) {
        for item in main.items(of: name) where item.contains(":") {
            guard let daemon = successor(of: item) else { continue }
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
            var new: [String] = []
            for item in old {
                let endpoint = item.contains(":") ? successor(of: item)?.endpoint : nil
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
