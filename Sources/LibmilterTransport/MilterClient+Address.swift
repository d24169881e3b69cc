internal import CMilter
internal import Glibc
internal import MailSyntax
internal import Milter

extension MilterClient {
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
