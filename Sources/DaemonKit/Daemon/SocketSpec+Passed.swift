internal import Configuration
import Glibc

/// Sockets as systemd and Postfix write them.
extension SocketSpec {
    /// Reads `ListenStream=` of a socket unit: a path, a port, `address:port` or `[address]:port` (systemd.socket(5)).
    init?(listenStream text: String) {
        if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if let port = UInt16(text) {
            self = .inet6(port: port, host: nil)
        } else if let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        {
            let host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                self = .inet6(port: port, host: String(host.dropFirst().dropLast()))
            } else {
                self = .inet(port: port, host: String(host))
            }
        } else {
            return nil
        }
    }

    /// The address that a socket is bound to; nil if it has none that a client could use.
    init?(boundTo descriptor: Int32) {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: address) { unsafe [UInt8]($0) }
        let family = Int32(address.ss_family)
        switch family {
        case AF_UNIX:
            let path = bytes.prefix(Int(length)).dropFirst(2).prefix { $0 != 0 }
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(decoding: path, as: UTF8.self))
        case AF_INET, AF_INET6:
            // The port and the address stand at fixed places (ip(7), ipv6(7)), in network order.
            let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            let host = family == AF_INET ? Array(bytes[4..<8]) : Array(bytes[8..<24])
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard unsafe inet_ntop(family, host, &text, socklen_t(text.count)) != nil else {
                return nil
            }
            let name = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            self =
                family == AF_INET ? .inet(port: port, host: name) : .inet6(port: port, host: name)
        default:
            return nil
        }
    }

    /// Whether a client that looks for one finds the other: the same path, or the same port whatever the host is called.
    func isSamePlace(as other: SocketSpec) -> Bool {
        switch (self, other) {
        case (.unix(let path), .unix(let otherPath)): path == otherPath
        case (.inet(let port, _), .inet(let otherPort, _)),
            (.inet(let port, _), .inet6(let otherPort, _)),
            (.inet6(let port, _), .inet(let otherPort, _)),
            (.inet6(let port, _), .inet6(let otherPort, _)):
            port == otherPort
        default: false
        }
    }

    /// The form that main.cf has, where paths are relative to the queue directory.
    var inMainCF: String {
        switch self {
        case .unix(let path):
            let queue = "/var/spool/postfix/"
            return "unix:" + (path.hasPrefix(queue) ? String(path.dropFirst(queue.count)) : path)
        case .inet(let port, let host): return "inet:\(host ?? "localhost"):\(port)"
        case .inet6(let port, let host):
            return "inet:" + (host.map { "[\($0)]" } ?? "localhost") + ":\(port)"
        case .descriptor: return description
        }
    }
}
