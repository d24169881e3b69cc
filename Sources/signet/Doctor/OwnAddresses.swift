import Doctor
import Glibc
import MailSyntax

/// The addresses of this host's interfaces.
enum OwnAddresses {
    /// Those that have a meaning in the Internet, IPv4 first, each once.
    static var global: [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: Set<IPAddress> = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let address = unsafe address(entry.pointee.ifa_addr), !address.isPrivate else {
                continue
            }
            found.insert(address)
        }
        return found.sorted()
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
        guard let pointer = unsafe pointer else { return nil }
        switch Int32(unsafe pointer.pointee.sa_family) {
        case AF_INET:
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                .v4(UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr))
            }
        case AF_INET6:
            return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { six in
                var address = unsafe six.pointee.sin6_addr
                return unsafe withUnsafeBytes(of: &address) { unsafe IPAddress(octets: Array($0)) }
            }
        default: return nil
        }
    }
}
