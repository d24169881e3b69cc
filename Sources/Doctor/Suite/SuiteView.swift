/// Where the daemons of the suite listen, as their units and configurations in a tree say.
struct SuiteView: Sendable {
    /// The daemons that are milters, in the order in which mail is to pass them.
    static let milters = ["scrub", "dkim", "dmarc"]

    /// The sockets by the daemon's short name.
    private var sockets: [String: [Socket]] = [:]

    /// A socket that a daemon listens on.
    struct Socket: Hashable, Sendable {
        /// Its path on the host.
        let path: String
        /// The group that it is given; nil where the unit does not say.
        let group: String?
        /// Its permissions; nil where the unit does not say.
        let mode: UInt32?
        /// The file that says so.
        let source: String
    }

    /// Nobody listens.
    init() {}

    /// Reads the socket units and the `Socket` directives.
    init(_ tree: HostFiles) {
        for name in Self.milters + ["spf"] {
            var found: [Socket] = []
            if let unit = Self.unit("signet-\(name).socket", tree) { found += unit }
            if let file = SuiteConfiguration(name, tree), let socket = file.text("Socket") {
                let path = socket.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
                if path.hasPrefix("/") {
                    found.append(Socket(path: path, group: nil, mode: nil, source: file.path))
                }
            }
            sockets[name] = found
        }
    }

    /// The sockets of a daemon.
    func sockets(of name: String) -> [Socket] { sockets[name] ?? [] }

    /// The daemon that listens at a path, or that the path's name means; nil for others.
    func daemon(at path: String) -> String? {
        for (name, found) in sockets where found.contains(where: { $0.path == path }) {
            return name
        }
        return (Self.milters + ["spf"]).first { path.hasSuffix("signet/\($0).sock") }
    }

    /// Reads a unit and its drop-ins; nil where there is none.
    ///
    /// Of two settings the last holds, and an empty ListenStream= forgets those before it (systemd.socket(5)).
    private static func unit(_ name: String, _ tree: HostFiles) -> [Socket]? {
        let folders = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"]
        guard let file = folders.map({ "\($0)/\(name)" }).first(where: { tree.text($0) != nil })
        else { return nil }
        let dropIns = "/etc/systemd/system/\(name).d"
        let files =
            [file]
            + tree.names(in: dropIns).filter { $0.hasSuffix(".conf") }.map { "\(dropIns)/\($0)" }
        var paths: [(path: String, source: String)] = []
        var group: String?
        var mode: UInt32?
        for file in files {
            for line in (tree.text(file) ?? "").split(separator: "\n") {
                let parts = line.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                switch parts[0] {
                case "ListenStream":
                    if parts[1].isEmpty {
                        paths = []
                    } else {
                        paths.append((String(parts[1]), file))
                    }
                case "SocketGroup": group = String(parts[1])
                case "SocketMode": mode = UInt32(parts[1], radix: 8)
                default: break
                }
            }
        }
        return paths.map { Socket(path: $0.path, group: group, mode: mode, source: $0.source) }
    }
}
