/// Where a daemon listens, as `Socket` and `-p` write it.
public enum SocketSpec: Hashable, Sendable, CustomStringConvertible {
    /// A unix socket at an absolute path: `unix:/path` or `local:/path`, or the bare path.
    case unix(path: String)
    /// A TCP port over IPv4, on one host's addresses or on all: `inet:PORT`, `inet:PORT@HOST`.
    case inet(port: UInt16, host: String?)
    /// A TCP port over IPv6: `inet6:PORT`, `inet6:PORT@HOST`.
    case inet6(port: UInt16, host: String?)
    /// A listening descriptor that was inherited: `fd:N`.
    case descriptor(Int32)

    /// Why a text names no socket.
    public struct Fault: Error, Hashable, Sendable {
        /// What is wrong.
        public let message: String
        /// What to write instead.
        public let suggestion: String
    }

    /// The longest path that a socket address holds (unix(7): 108 octets with the closing NUL).
    package static let pathLimit = 107

    /// Reads `unix:/path`, `local:/path`, `/path`, `inet:PORT[@HOST]`, `inet6:PORT[@HOST]` or `fd:N`.
    public init(_ text: String) throws(Fault) {
        let scheme: String
        let rest: String
        if text.hasPrefix("/") {
            (scheme, rest) = ("unix", text)
        } else if let colon = text.firstIndex(of: ":") {
            scheme = text[..<colon].lowercased()
            rest = String(text[text.index(after: colon)...])
        } else {
            (scheme, rest) = ("", text)
        }
        switch scheme {
        case "unix", "local":
            self = .unix(path: try Self.path(rest))
        case "inet":
            let (port, host) = try Self.portAndHost(rest)
            self = .inet(port: port, host: host)
        case "inet6":
            let (port, host) = try Self.portAndHost(rest)
            self = .inet6(port: port, host: host)
        case "fd":
            guard let number = Int32(rest), number >= 0 else {
                throw Fault(
                    message: "\"\(rest)\" is not a descriptor's number", suggestion: "write fd:3")
            }
            self = .descriptor(number)
        default:
            throw Fault(
                message: "\"\(text)\" names no socket",
                suggestion: "write unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST or fd:N")
        }
    }

    private static func path(_ path: String) throws(Fault) -> String {
        // Postfix takes such names from its queue directory; a daemon has no such place to start from.
        guard path.hasPrefix("/") else {
            throw Fault(
                message: "the socket's path \"\(path)\" is relative",
                suggestion:
                    "write it in full here, such as unix:/var/spool/postfix/\(path); "
                    + "the relative form belongs in main.cf")
        }
        guard path.utf8.count <= pathLimit else {
            throw Fault(
                message: "the socket's path has more than \(pathLimit) octets",
                suggestion: "choose a shorter one")
        }
        return path
    }

    private static func portAndHost(_ text: String) throws(Fault) -> (UInt16, String?) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let portText = parts.first.map(String.init) ?? ""
        guard let port = UInt16(portText), port > 0 else {
            throw Fault(
                message: "\"\(portText)\" is not a port", suggestion: "write inet:PORT@HOST")
        }
        guard parts.count == 2 else { return (port, nil) }
        var host = String(parts[1])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, host.utf8.count <= 255, !host.contains(" ") else {
            throw Fault(
                message: "there is no host after the @",
                suggestion: "write inet:\(port)@127.0.0.1, or inet:\(port) for all addresses")
        }
        return (port, host)
    }

    /// The canonical form, which reads back as the same socket.
    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .inet(let port, let host): "inet:\(port)" + (host.map { "@\($0)" } ?? "")
        case .inet6(let port, let host):
            "inet6:\(port)" + (host.map { $0.contains(":") ? "@[\($0)]" : "@\($0)" } ?? "")
        case .descriptor(let number): "fd:\(number)"
        }
    }
}
