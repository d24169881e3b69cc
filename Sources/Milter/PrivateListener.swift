internal import Glibc

/// A listening socket of our own, at an address that nobody is told.
///
/// libmilter polls and accepts under the number of the descriptor that it was given. Another
/// listener put in the place of the real one, under the same number, therefore decides who gets in.
@safe
struct PrivateListener: ~Copyable {
    private let descriptor: Int32
    private let address: sockaddr_storage
    private let length: socklen_t

    /// Listens in a family: on an abstract name that cannot be guessed, or on a free port of the
    /// loopback address.
    ///
    /// Nil if the system does not allow it.
    init?(family: Int32) {
        // Non-blocking: libmilter may come to accept on it because of a wake-up from another one.
        let type =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { return nil }
        var (address, length) = Self.secretAddress(family)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                guard unsafe bind(descriptor, name, length) == 0 else { return false }
                length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                return unsafe listen(descriptor, 16) == 0
                    && getsockname(descriptor, name, &length) == 0
            }
        }
        guard isListening else {
            Glibc.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.address = address
        self.length = length
    }

    deinit {
        Glibc.close(descriptor)
    }

    private static func secretAddress(_ family: Int32) -> (sockaddr_storage, socklen_t) {
        var address = sockaddr_storage()
        address.ss_family = sa_family_t(family)
        let length = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            switch family {
            case AF_INET:
                var name = sockaddr_in()
                name.sin_family = sa_family_t(family)
                name.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
                unsafe bytes.storeBytes(of: name, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            case AF_INET6:
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(family)
                name.sin6_addr = in6addr_loopback
                unsafe bytes.storeBytes(of: name, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            default:
                // The NUL that begins an abstract name, then 16 octets of chance.
                let start = MemoryLayout<sa_family_t>.size + 1
                var random = SystemRandomNumberGenerator()
                unsafe bytes.storeBytes(of: random.next(), toByteOffset: start, as: UInt64.self)
                unsafe bytes.storeBytes(of: random.next(), toByteOffset: start + 8, as: UInt64.self)
                return start + 16
            }
        }
        return (address, socklen_t(length))
    }

    /// Takes the place of another descriptor.
    borrowing func replace(_ other: Int32) -> Bool {
        dup2(descriptor, other) >= 0
    }

    /// Connects to this listener; nil if that fails.
    borrowing func connect() -> Int32? {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let client = socket(Int32(address.ss_family), type, 0)
        guard client >= 0 else { return nil }
        let isConnected = unsafe withUnsafePointer(to: address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(client, $0, length) == 0
            }
        }
        guard isConnected else {
            Glibc.close(client)
            return nil
        }
        return client
    }

    /// The family of a socket.
    static func family(of descriptor: Int32) -> Int32 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutablePointer(to: &address) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &length)
            }
        }
        return Int32(address.ss_family)
    }
}
