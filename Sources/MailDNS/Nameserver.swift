public import MailSyntax

/// A name server to ask: its address and port.
public struct Nameserver: Hashable, Sendable, CustomStringConvertible {
    /// The server's address.
    public let address: IPAddress
    /// The server's port, over UDP and TCP.
    public let port: UInt16

    /// Creates a name server.
    public init(_ address: IPAddress, port: UInt16 = 53) {
        self.address = address
        self.port = port
    }

    /// Reads the `ADDR[@PORT]` form of configuration files; the address may stand in brackets.
    public init(_ text: some StringProtocol) throws(NameserverError) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        var host = parts.first.map { String($0) } ?? ""
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw .missingAddress }
        guard let address = IPAddress(host) else { throw .badAddress(host) }
        self.address = address
        guard parts.count == 2 else {
            port = 53
            return
        }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(parts[1]), port > 0
        else { throw .badPort(String(parts[1])) }
        self.port = port
    }

    /// Reads a list of servers, separated by commas or white space.
    public static func list(_ text: some StringProtocol) throws(NameserverError) -> [Nameserver] {
        var servers: [Nameserver] = []
        for item in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            servers.append(try Nameserver(item))
        }
        guard !servers.isEmpty else { throw .missingAddress }
        return servers
    }

    /// The server in the `ADDR@PORT` form.
    public var description: String { "\(address)@\(port)" }
}

/// Why a list of name servers was not read.
public enum NameserverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No address where one belongs.
    case missingAddress
    /// Not an IP address. A host name is not accepted: asking for it would need a server first.
    case badAddress(String)
    /// Not a port between 1 and 65535.
    case badPort(String)

    /// The mistake as one line of text.
    public var description: String {
        switch self {
        case .missingAddress: "a name server's address is missing"
        case .badAddress(let text): "'\(text)' is not the IP address of a name server"
        case .badPort(let text): "'\(text)' is not a port"
        }
    }
}
