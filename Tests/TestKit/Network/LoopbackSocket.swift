public import Glibc
import Synchronization

/// A socket on this machine, connected or listening, with blocking calls and a time limit for each.
public final class LoopbackSocket: Sendable {
    /// The descriptor, open as long as this object lives.
    public let descriptor: Int32

    private let isShut = Atomic(false)

    /// Takes over the open `descriptor`; reads and writes take at most `seconds`.
    public init(taking descriptor: Int32, seconds: Int = 30) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit { Glibc.close(descriptor) }

    /// Connects to `port` on 127.0.0.1.
    public static func connect(port: UInt16, seconds: Int = 30) throws -> LoopbackSocket {
        let socket = try make(AF_INET, seconds: seconds)
        let connected = unsafe withLoopbackAddress(port) { address, length in
            unsafe Glibc.connect(socket.descriptor, address, length) == 0
        }
        guard connected else { throw TestKitError("connect 127.0.0.1:\(port): errno \(errno)") }
        return socket
    }

    /// Connects to the Unix socket at `path`.
    public static func connect(path: String, seconds: Int = 30) throws -> LoopbackSocket {
        let socket = try make(AF_UNIX, seconds: seconds)
        let connected = try unsafe withUnixAddress(path) { address, length in
            unsafe Glibc.connect(socket.descriptor, address, length) == 0
        }
        guard connected else { throw TestKitError("connect \(path): errno \(errno)") }
        return socket
    }

    /// Listens on `port` of 127.0.0.1, or on a port of the kernel's choice when it is 0.
    public static func listen(port: UInt16 = 0) throws -> LoopbackSocket {
        let socket = try make(AF_INET, seconds: 0)
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        let bound = unsafe withLoopbackAddress(port) { address, length in
            unsafe bind(socket.descriptor, address, length) == 0
        }
        guard bound, Glibc.listen(socket.descriptor, 128) == 0 else {
            throw TestKitError("listen 127.0.0.1:\(port): errno \(errno)")
        }
        return socket
    }

    /// Listens on the Unix socket `path`, which is made with `mode`.
    public static func listen(path: String, mode: mode_t = 0o666) throws -> LoopbackSocket {
        let socket = try make(AF_UNIX, seconds: 0)
        let bound = try unsafe withUnixAddress(path) { address, length in
            unsafe bind(socket.descriptor, address, length) == 0
        }
        guard bound, unsafe chmod(path, mode) == 0, Glibc.listen(socket.descriptor, 128) == 0 else {
            throw TestKitError("listen \(path): errno \(errno)")
        }
        return socket
    }

    /// Takes datagrams at the Unix socket `path`, from whoever sends them.
    public static func receiveDatagrams(path: String) throws -> LoopbackSocket {
        let socket = try make(AF_UNIX, SOCK_DGRAM, seconds: 0)
        let bound = try unsafe withUnixAddress(path) { address, length in
            unsafe bind(socket.descriptor, address, length) == 0
        }
        guard bound, unsafe chmod(path, 0o666) == 0 else {
            throw TestKitError("bind \(path): errno \(errno)")
        }
        return socket
    }

    /// The next datagram as text, or nil if none is waiting.
    public func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The port that this socket is bound to.
    public var localPort: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The next connection of a listening socket, or nil after ``shut()``.
    public func accept() -> LoopbackSocket? {
        while !isShut.load(ordering: .acquiring) {
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted >= 0 {
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                return LoopbackSocket(taking: accepted)
            }
            guard errno == EINTR || errno == ECONNABORTED || errno == EAGAIN else { return nil }
        }
        return nil
    }

    /// Reads what is there, at most `count` bytes; empty at the end of the stream.
    public func read(upTo count: Int = 65_536) throws -> [UInt8] {
        var error: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            repeat {
                let received = unsafe recv(descriptor, buffer.baseAddress, count, 0)
                length = max(0, received)
                error = received < 0 ? errno : 0
            } while error == EINTR
        }
        guard error == 0 else { throw TestKitError("read: errno \(error)") }
        return bytes
    }

    /// Writes all of `bytes`.
    public func write(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + start }, bytes.count - start,
                    Int32(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno == EINTR { continue }
                throw TestKitError("write: errno \(errno)")
            }
            start += sent
        }
    }

    /// Ends both directions; a thread that waits in this socket goes on.
    public func shut() {
        isShut.store(true, ordering: .releasing)
        Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func make(
        _ family: Int32, _ type: __socket_type = SOCK_STREAM, seconds: Int
    ) throws -> LoopbackSocket {
        let descriptor = socket(family, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestKitError("socket: errno \(errno)") }
        return LoopbackSocket(taking: descriptor, seconds: seconds)
    }

    static func withLoopbackAddress<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func withUnixAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws -> Result {
        var address = sockaddr_un()
        let bytes = Array(path.utf8)
        guard bytes.count < 108 else { throw TestKitError("socket path too long: \(path)") }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
