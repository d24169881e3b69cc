internal import Configuration
internal import Glibc

/// Unix sockets of the metrics, on both sides.
package enum UnixSocket {
    /// The longest path of a socket, in octets (unix(7)).
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Listens on a path that everybody may connect to.
    static func listen(
        _ path: String, backlog: Int32
    ) throws(MetricsSocket.SetupError) -> Int32 {
        let descriptor = try socket()
        // A file that nobody listens on is of an earlier run.
        if connect(descriptor, path) {
            _ = close(descriptor)
            throw MetricsSocket.SetupError(description: "another process listens on it")
        }
        var status = stat()
        if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK {
            _ = unsafe unlink(path)
        }
        let isBound = unsafe withAddress(of: path) { address, length in
            unsafe Glibc.bind(descriptor, address, length) == 0
        }
        guard isBound == true, unsafe chmod(path, 0o666) == 0,
            Glibc.listen(descriptor, backlog) == 0
        else {
            let error = SystemError.last
            let reason = isBound == nil ? "its path is too long" : error.description
            _ = close(descriptor)
            throw MetricsSocket.SetupError(description: reason)
        }
        return descriptor
    }

    /// Reads what a daemon gives, within some seconds; nil where nobody gives anything.
    package static func read(_ path: String, limit: Int = 4 << 20, seconds: Int = 2) -> String? {
        guard let descriptor = try? socket() else { return nil }
        defer { _ = close(descriptor) }
        guard connect(descriptor, path) else { return nil }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while octets.count < limit {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, Int32(seconds * 1_000)) == 1 else { return nil }
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: octets, as: UTF8.self) }
            octets += chunk.prefix(count)
        }
        return nil
    }

    private static func socket() throws(MetricsSocket.SetupError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw MetricsSocket.SetupError(description: SystemError.last.description)
        }
        return descriptor
    }

    private static func connect(_ descriptor: Int32, _ path: String) -> Bool {
        unsafe withAddress(of: path) { address, length in
            unsafe Glibc.connect(descriptor, address, length) == 0
        } ?? false
    }

    /// Lends the address of a path; nil where it is too long (unix(7)).
    private static func withAddress<Result>(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard !octets.isEmpty, octets.count <= longestPath, !octets.contains(0) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: octets) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        return unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, length)
            }
        }
    }
}
