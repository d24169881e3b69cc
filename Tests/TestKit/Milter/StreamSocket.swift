internal import Foundation

/// Where a server under test listens.
public enum SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// A Unix socket by its path.
    case unix(String)
    /// A TCP port of 127.0.0.1.
    case tcp(UInt16)

    /// The address as configuration files write it.
    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let port): "inet:\(port)@127.0.0.1"
        }
    }
}

/// Why a conversation with a server under test ended.
public enum StreamError: Error, Equatable {
    /// No connection could be made; the system's error number.
    case refused(Int32)
    /// The server closed the connection.
    case closed
    /// The server was silent for longer than the timeout.
    case timeout
    /// The conversation was cut here, as the test had asked.
    case cut
}

/// A blocking stream socket with a timeout and a scissors.
///
/// Bytes written are kept back until something is to be read, as Postfix keeps them.
public final class StreamSocket {
    private var descriptor: Int32
    private var output: [UInt8] = []
    private var input: [UInt8] = []
    private var position = 0
    private var sent = 0
    /// How often input came, all that was there each time.
    public private(set) var arrivals = 0
    private let timeout: Double
    private let cutAfter: Int?
    private let pieceSize: Int

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - timeout: Seconds of silence after which a read gives up.
    ///   - cutAfter: The number of bytes after which the connection is cut, nil for never.
    ///   - pieceSize: The most bytes that are sent at once, nil for all that there are.
    /// - Throws: `StreamError.refused`.
    public init(
        _ address: SocketAddress, timeout: Double = 10, cutAfter: Int? = nil, pieceSize: Int? = nil
    ) throws {
        self.timeout = timeout
        self.cutAfter = cutAfter
        self.pieceSize = pieceSize ?? Int.max
        let stream = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        switch address {
        case .unix(let path):
            descriptor = socket(AF_UNIX, stream, 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &name.sun_path) {
                unsafe $0.copyBytes(from: path.utf8)
            }
            try connect(to: name)
        case .tcp(let port):
            descriptor = socket(AF_INET, stream, 0)
            var one: Int32 = 1
            unsafe setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one,
                socklen_t(MemoryLayout<Int32>.size))
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            try connect(to: name)
        }
    }

    deinit {
        close()
    }

    private func connect<Name>(to name: Name) throws {
        let result = unsafe withUnsafePointer(to: name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
            }
        }
        guard result == 0 else {
            let error = errno
            close()
            throw StreamError.refused(error)
        }
    }

    /// Closes the connection at once; what was kept back is lost.
    public func close() {
        guard descriptor >= 0 else { return }
        _ = Foundation.close(descriptor)
        descriptor = -1
    }

    /// Writes bytes, which leave with the next `flush` or `read`.
    public func write(_ bytes: [UInt8]) {
        output.append(contentsOf: bytes)
    }

    /// Sends all that was written.
    ///
    /// - Throws: `StreamError.closed`, and `StreamError.cut` where the test had asked for a cut.
    public func flush() throws {
        var end = output.count
        if let cutAfter { end = min(end, cutAfter - sent) }
        var start = 0
        while start < end {
            let count = unsafe output.withUnsafeBytes {
                unsafe send(
                    descriptor, $0.baseAddress.map { unsafe $0 + start },
                    min(pieceSize, end - start), Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw StreamError.closed }
            start += count
        }
        sent += end
        let isCut = end < output.count
        output.removeAll(keepingCapacity: true)
        if isCut {
            close()
            throw StreamError.cut
        }
    }

    /// Reads exactly that many bytes.
    ///
    /// - Parameter count: The number of bytes.
    /// - Returns: The bytes.
    /// - Throws: `StreamError`.
    public func read(_ count: Int) throws -> [UInt8] {
        try flush()
        while input.count - position < count { try fill(within: timeout) }
        defer { position += count }
        return Array(input[position..<position + count])
    }

    /// Whether the server says anything, or closes, within the given time.
    ///
    /// - Parameter seconds: How long to wait.
    /// - Returns: True if there is something to read.
    /// - Throws: `StreamError.closed` if the server has closed.
    public func hasInput(within seconds: Double) throws -> Bool {
        try flush()
        if position < input.count { return true }
        do {
            try fill(within: seconds)
            return true
        } catch StreamError.timeout {
            return false
        }
    }

    private func fill(within seconds: Double) throws {
        if position == input.count {
            input.removeAll(keepingCapacity: true)
            position = 0
        }
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&poller, 1, Int32(seconds * 1000)) > 0 else { throw StreamError.timeout }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw StreamError.closed }
        input.append(contentsOf: buffer.prefix(count))
        arrivals += 1
    }
}
