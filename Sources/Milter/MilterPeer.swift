internal import CMilter
internal import Glibc
public import MailSyntax

/// The SMTP client, as the MTA describes it.
public struct MilterPeer: Sendable, Equatable {
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

    /// Reads what libmilter hands to the connect callback.
    init(hostName: String, address: UnsafePointer<sockaddr>?) {
        self.init(hostName: hostName, family: .unknown, address: nil, port: 0)
        // libmilter's union of addresses is as long as the longest of them.
        guard let raw = unsafe UnsafeRawPointer(address) else { return }
        switch Int32(unsafe raw.load(as: sockaddr.self).sa_family) {
        case AF_INET:
            let socket = unsafe raw.load(as: sockaddr_in.self)
            family = .ipv4
            self.address = .v4(UInt32(bigEndian: socket.sin_addr.s_addr))
            port = UInt16(bigEndian: socket.sin_port)
        case AF_INET6:
            let socket = unsafe raw.load(as: sockaddr_in6.self)
            family = .ipv6
            self.address = .v6(
                unsafe withUnsafeBytes(of: socket.sin6_addr) { octets in
                    unsafe octets.reduce(UInt128(0)) { ($0 << 8) | UInt128($1) }
                })
            port = UInt16(bigEndian: socket.sin6_port)
        case AF_UNIX:
            family = .unix
        default:
            break
        }
    }
}
