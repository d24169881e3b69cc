internal import Glibc

/// The connections that a listening socket has let in, counted among the open descriptors.
///
/// libmilter tells of a connection only when it has been negotiated, and on a busy machine that
/// may be some time after it was accepted. The system knows of it from the start.
struct AcceptedConnections {
    /// The listener's address, which the connections that it lets in have on our side.
    private let address: LocalAddress

    /// Remembers a listener; nil if it is no stream socket, unix or internet.
    init?(of listener: Int32) {
        guard let address = LocalAddress(of: listener) else { return nil }
        self.address = address
    }

    /// How many are open; nil where /proc cannot be read.
    func count() -> Int? {
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = 0
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name.0) {
                unsafe String(cString: $0)
            }
            guard let descriptor = Int32(name), !Self.isListening(descriptor) else { continue }
            if LocalAddress(of: descriptor) == address { count += 1 }
        }
        return count
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        LocalAddress.option(SO_ACCEPTCONN, of: descriptor) == 1
    }
}

/// What a stream socket's own address has in common with those of the connections that it accepts.
private struct LocalAddress: Equatable {
    private let family: sa_family_t
    /// A path or an abstract name; of an internet address only the port, for a listener may be bound
    /// to all addresses at once.
    private let name: [UInt8]

    init?(of descriptor: Int32) {
        // The resolver's datagram sockets use any port.
        guard Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
            return nil
        }
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isNamed = unsafe withUnsafeMutablePointer(to: &address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isNamed else { return nil }
        family = address.ss_family
        let start = MemoryLayout<sa_family_t>.size
        let end: Int
        switch Int32(family) {
        case AF_UNIX: end = min(Int(length), MemoryLayout<sockaddr_un>.size)
        // The port comes first in both.
        case AF_INET, AF_INET6: end = start + MemoryLayout<in_port_t>.size
        default: return nil
        }
        guard end > start else { return nil }
        name = unsafe withUnsafeBytes(of: address) { unsafe Array($0[start..<end]) }
    }

    /// An option of a socket; nil if the descriptor is none.
    static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length)
        return result == 0 ? value : nil
    }
}
