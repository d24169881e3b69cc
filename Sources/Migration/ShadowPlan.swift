internal import PostfixConfiguration
package import Setup

/// What Postfix needs to be told so that Signet's daemons run beside the peers and only compare.
package struct ShadowPlan: Sendable {
    /// Commands that add what is missing in main.cf and master.cf, in order; none where nothing is.
    package private(set) var commands: [String] = []
    /// What the postmaster should know.
    package private(set) var notes: [String] = []
    /// Why nothing can be compared; empty where something can.
    package private(set) var obstacles: [String] = []

    /// The daemons beside whose peers mail passes.
    package private(set) var daemons: [SignetDaemon] = []

    private let main: MainConfiguration
    private let master: MasterConfiguration
    private let sockets: PeerSockets

    private static let lists = ["smtpd_milters", "non_smtpd_milters"]
    private static let restrictions = "smtpd_recipient_restrictions"

    /// Looks at a host.
    ///
    /// - Parameters:
    ///   - tree: the host's files.
    ///   - peers: the peers beside which ours run.
    /// - Throws: where a file is there and cannot be read.
    package init(_ tree: FileTree, peers: [(peer: Peer, file: String)]) throws(FileFault) {
        main = MainConfiguration(try tree.file("/etc/postfix/main.cf")?.contents ?? [])
        master = MasterConfiguration(try tree.file("/etc/postfix/master.cf")?.contents ?? [])
        sockets = try PeerSockets(tree, peers)
        var asked: Set<SignetDaemon> = []
        for name in Self.lists + [Self.restrictions] {
            let items = main.items(of: name)
            asked.formUnion(items.compactMap(peer))
            if let value = completed(items) {
                commands.append("postconf -e '\(name) = \(value)'")
            }
        }
        for service in master.services {
            for name in Self.lists + [Self.restrictions] {
                guard let option = service.option(name) else { continue }
                let items = PostfixList.items(option.value)
                asked.formUnion(items.compactMap(peer))
                if let value = completed(items) {
                    // Here postconf takes no white space; a comma separates as well.
                    let words = value.replacing(", ", with: ",").replacing(" ", with: ",")
                        .replacing("{,", with: "{").replacing(",}", with: "}")
                    commands.append("postconf -P '\(service.key)/\(name)=\(words)'")
                }
            }
        }
        daemons = SignetDaemon.allCases.filter(asked.contains)
        guard !asked.isEmpty else {
            obstacles.append(
                "Postfix asks none of these filters, so that there is nothing to compare")
            return
        }
        for (peer, file) in peers where peer.daemonOfSetup.map(asked.contains) == false {
            notes.append("Postfix does not ask \(peer.rawValue) (\(file)): it is not compared")
        }
        if asked.contains(.spf) {
            notes.append(
                "signet-spf's results are compared with those that policyd-spf writes to the mail log "
                    + "(debugLevel 1 or more)")
        }
        notes.append(
            "what the filters in use refuse or hold never comes to Signet, and is not compared")
    }

    /// The daemon that takes the place of the filter that an item of a list means; nil for other items.
    private func peer(_ item: String) -> SignetDaemon? {
        item.contains(":") ? sockets.successor(of: item) : nil
    }

    /// A list with ours after each peer's last; nil where nothing is missing.
    private func completed(_ items: [String]) -> String? {
        var parts = Restrictions.parts(items)
        var isChanged = false
        for daemon in SignetDaemon.allCases where sockets.daemons.contains(daemon) {
            guard !items.contains(where: { daemon.isNamed(by: $0) }),
                let place = parts.lastIndex(where: { part in
                    PostfixList.items(part).contains { peer($0) == daemon }
                })
            else { continue }
            isChanged = true
            // A milter sees what those before it have done: ours come behind all of them.
            if daemon == .spf {
                parts.insert("check_policy_service \(daemon.endpoint)", at: place + 1)
            } else {
                parts.append(daemon.shadowEndpoint)
            }
        }
        return isChanged ? parts.joined(separator: ", ") : nil
    }
}

/// The items of a list of restrictions, each with the argument that belongs to it.
enum Restrictions {
    /// Joins what belongs together: `check_policy_service unix:…`; milters stay single.
    static func parts(_ items: [String]) -> [String] {
        var parts: [String] = []
        for item in items {
            if let last = parts.last, !last.contains(" "),
                last.hasPrefix("check_") || last.hasPrefix("reject_rbl_")
                    || last.hasPrefix("reject_rhsbl_")
            {
                parts[parts.count - 1] = "\(last) \(item)"
            } else {
                parts.append(item)
            }
        }
        return parts
    }
}
