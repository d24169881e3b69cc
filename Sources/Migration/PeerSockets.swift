internal import Configuration
internal import PostfixConfiguration
internal import Setup

/// Where the peers listen, and which of our daemons takes the place of each.
struct PeerSockets: Sendable {
    /// The daemons that take a peer's place.
    let daemons: Set<SignetDaemon>
    private var sockets: [SignetDaemon: [SocketSpec]] = [:]

    /// Reads the peers' files.
    ///
    /// - Throws: where a file is there and cannot be read.
    init(_ tree: FileTree, _ peers: [(peer: Peer, file: String)]) throws(FileFault) {
        daemons = Set(peers.compactMap(\.peer.daemonOfSetup))
        for (peer, path) in peers {
            guard let daemon = peer.daemonOfSetup else { continue }
            let file = try tree.file(path)?.contents ?? []
            sockets[daemon, default: []] += PeerFile.directives(peer, file).filter {
                $0.name.lowercased() == "socket"
            }.compactMap { try? SocketSpec($0.value) }
        }
    }

    /// The daemon that an address has been the peer of; nil for any other filter.
    func successor(of item: String) -> SignetDaemon? {
        let address = PostfixList.endpoint(item).address
        for (daemon, specs) in sockets where specs.contains(where: { $0.isReached(at: address) }) {
            return daemon
        }
        return Incumbent(address: address).flatMap { SignetDaemon(rawValue: $0.rawValue) }
            .flatMap { daemons.contains($0) ? $0 : nil }
    }
}

extension SignetDaemon {
    /// How main.cf names the daemon while it only compares: mail does not wait for it.
    var shadowEndpoint: String {
        self == .spf ? endpoint : "{ \(endpoint), default_action=accept }"
    }

    /// Whether an item of a list in main.cf is this daemon's socket, with settings of its own or without.
    func isNamed(by item: String) -> Bool { PostfixList.endpoint(item).address == endpoint }
}
