public import MailSyntax

/// The SMTP client, as the MTA describes it.
public struct MilterClient: Sendable, Equatable {
    /// How the client reached the MTA.
    public enum Family: Sendable {
        /// Over IPv4.
        case ipv4
        /// Over IPv6.
        case ipv6
        /// Over a Unix socket.
        case unix
        /// The MTA did not say.
        case unknown
    }

    /// The client's name as the MTA found it; "[1.2.3.4]" where there is none.
    public var hostName: String
    /// How the client reached the MTA.
    public var family: Family
    /// The client's address, for the two internet families.
    public var address: IPAddress?
    /// The client's port; 0 where it is not known.
    public var port: UInt16

    /// Describes a client.
    ///
    /// - Parameters:
    ///   - hostName: The client's name as the MTA found it.
    ///   - family: How the client reached the MTA.
    ///   - address: The client's address.
    ///   - port: The client's port, 0 where it is not known.
    public init(hostName: String, family: Family, address: IPAddress?, port: UInt16) {
        self.hostName = hostName
        self.family = family
        self.address = address
        self.port = port
    }

    /// Reads an address as the MTA writes it.
    ///
    /// - Parameters:
    ///   - text: The address; "IPv6:" may stand before it and a zone after it (RFC 4007, section 11).
    ///   - family: The family that the MTA gives.
    /// - Returns: The address; nil where the text is none of that family.
    static func address(_ text: String, family: Family) -> IPAddress? {
        guard family == .ipv6 else {
            guard case .v4(let address)? = IPAddress(text) else { return nil }
            return .v4(address)
        }
        let prefix = "IPv6:"
        let hasPrefix = text.utf8.count > prefix.utf8.count && text.prefix(prefix.count) == prefix
        let bare = text.dropFirst(hasPrefix ? prefix.count : 0).prefix { $0 != "%" }
        guard case .v6(let address)? = IPAddress(bare) else { return nil }
        return .v6(address)
    }
}
