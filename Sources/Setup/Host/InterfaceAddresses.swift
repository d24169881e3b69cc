internal import Glibc
package import MailSyntax

/// The addresses of this host's interfaces.
package enum InterfaceAddresses {
    /// Those that others can reach: no loopback, link-local or private address.
    package static var global: [IPAddress] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { return [] }
        defer { unsafe freeifaddrs(first) }
        var found: [IPAddress] = []
        var next = unsafe first
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let raw = unsafe entry.pointee.ifa_addr, let address = unsafe address(raw),
                isGlobal(address), !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found.sorted()
    }

    private static func address(_ raw: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        switch Int32(unsafe raw.pointee.sa_family) {
        case AF_INET:
            return unsafe raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                unsafe withUnsafeBytes(of: pointer.pointee.sin_addr) { bytes in
                    unsafe IPAddress(octets: Array(bytes))
                }
            }
        case AF_INET6:
            return unsafe raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                unsafe withUnsafeBytes(of: pointer.pointee.sin6_addr) { bytes in
                    unsafe IPAddress(octets: Array(bytes))
                }
            }
        default: return nil
        }
    }

    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "::/127", "fe80::/10", "fc00::/7",
    ].compactMap { IPNetwork($0) }

    /// Whether an address is not one of RFC 6890's that only this host or its neighbours know.
    package static func isGlobal(_ address: IPAddress) -> Bool {
        !special.contains { $0.contains(address.unmapped) }
    }
}
