internal import MailSyntax

extension SocketSpec {
    /// Whether an address as Postfix or a milter's own configuration writes it leads to this socket.
    ///
    /// Postfix writes `unix:PATH`, relative to its queue directory, and `inet:HOST:PORT` (postconf(5), smtpd_milters); milters write
    /// `local:PATH` and `inet:PORT@HOST`. Of names and addresses that differ nobody knows whether they are one host, but for those
    /// of the loopback.
    package func isReached(at address: String) -> Bool {
        let parts = address.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return false }
        switch (parts[0].lowercased(), self) {
        case ("unix", .unix(let path)), ("local", .unix(let path)):
            let name = parts[1].drop { $0 == "/" }
            return !name.isEmpty && (path == parts[1] || path.hasSuffix("/\(name)"))
        case ("inet", .inet(let port, let host)), ("inet", .inet6(let port, let host)),
            ("inet6", .inet(let port, let host)), ("inet6", .inet6(let port, let host)):
            guard let (itsPort, itsHost) = Self.place(parts[1]), itsPort == port else {
                return false
            }
            return Self.isSameHost(host, itsHost)
        default: return false
        }
    }

    /// The port and the host of `PORT@HOST`, `HOST:PORT` or `PORT`.
    private static func place(_ text: Substring) -> (port: UInt16, host: String?)? {
        if let at = text.firstIndex(of: "@") {
            return UInt16(text[..<at]).map { ($0, String(text[text.index(after: at)...])) }
        }
        guard let colon = text.lastIndex(of: ":") else { return UInt16(text).map { ($0, nil) } }
        return UInt16(text[text.index(after: colon)...]).map { ($0, String(text[..<colon])) }
    }

    /// Whether what listens on one host is met at another; nil for all addresses of this host.
    private static func isSameHost(_ one: String?, _ other: String?) -> Bool {
        let names = [one, other].map { $0.map(name) }
        guard let first = names[0], let second = names[1] else { return true }
        return first == second || everywhere.contains(first)
    }

    /// A host in one form: in small letters, without brackets, and one name for the loopback.
    private static func name(_ host: String) -> String {
        let bare = host.asciiLowercased.filter { $0 != "[" && $0 != "]" }
        if ["localhost", "ip6-localhost", "localhost.localdomain"].contains(bare)
            || IPAddress(bare)?.isLoopback == true
        {
            return "localhost"
        }
        return IPAddress(bare)?.description ?? bare
    }

    /// Who listens there listens on all addresses.
    private static let everywhere: Set<String> = ["0.0.0.0", "::", "*"]
}
