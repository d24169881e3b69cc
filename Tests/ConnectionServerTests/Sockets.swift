import Glibc
import Threads

struct SocketFailure: Error {
    let call: String
    let code: Int32
}

/// A client's end of a connection, with deadlines so that no test hangs.
final class Client: Sendable {
    let descriptor: Int32

    convenience init(_ address: Address) throws {
        let descriptor = address.makeSocket()
        try address.connect(descriptor)
        self.init(taking: descriptor)
    }

    /// Takes over a socket.
    init(taking descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets[sent...].withUnsafeBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SocketFailure(call: "send", code: errno) }
            sent += count
        }
    }

    /// Reads once; empty at the end.
    func read(_ most: Int = 65_536) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = unsafe recv(descriptor, &buffer, most, 0)
        guard count >= 0 else { throw SocketFailure(call: "recv", code: errno) }
        return Array(buffer[..<count])
    }

    /// Reads as many octets.
    func read(exactly count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let part = try read(min(65_536, count - all.count))
            if part.isEmpty { break }
            all += part
        }
        return all
    }

    /// Reads a line, without its end.
    func readLine() throws -> String {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            let octet = try read(1)
            if octet.isEmpty { break }
            line += octet
        }
        return String(
            decoding: line.dropLast(line.last == UInt8(ascii: "\n") ? 1 : 0), as: UTF8.self)
    }

    /// Whether the server closes the connection, without another octet.
    func isClosed() -> Bool {
        do {
            return try read().isEmpty
        } catch {
            return (error as? SocketFailure)?.code == ECONNRESET
        }
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}

/// Where a test's server listens.
struct Address: Sendable {
    private let isUnix: Bool
    private let name: String
    private let port: in_port_t

    static let kinds: [Kind] = [.unix, .tcp]

    enum Kind: Sendable {
        case unix
        case tcp
    }

    /// A listening socket, and its address.
    static func listen(_ kind: Kind, backlog: Int32 = 128) throws -> (Int32, Address) {
        let isUnix = kind == .unix
        let descriptor = socket(
            isUnix ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // An abstract name: nothing is left behind.
        let name = "signet-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        var address = Address(isUnix: isUnix, name: name, port: 0)
        let status = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
        guard status == 0, Glibc.listen(descriptor, backlog) == 0 else {
            throw SocketFailure(call: "listen", code: errno)
        }
        if !isUnix {
            var bound = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = unsafe withUnsafeMutablePointer(to: &bound) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(descriptor, $0, &length)
                }
            }
            address = Address(isUnix: false, name: "", port: bound.sin_port)
        }
        return (descriptor, address)
    }

    /// A socket that is not connected yet.
    func makeSocket() -> Int32 {
        socket(isUnix ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Connects a socket, which is closed where that fails.
    func connect(_ descriptor: Int32) throws {
        guard unsafe withPointer({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            throw SocketFailure(call: "connect", code: code)
        }
    }

    private func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        if isUnix {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let octets = Array(name.utf8)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
                for (index, octet) in octets.enumerated() { unsafe path[index + 1] = octet }
            }
            let length = MemoryLayout<sa_family_t>.size + 1 + octets.count
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(length))
                }
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
