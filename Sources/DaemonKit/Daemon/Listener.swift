internal import Configuration
import Glibc

/// A socket that accepts connections.
final class Listener: Sendable {
    let descriptor: Int32
    /// The file to take away at the end; nil when the socket is not ours to remove.
    private let path: String?
    /// What `path` was when the socket was made.
    private let device: dev_t
    private let inode: ino_t
    /// Whether the socket was made here rather than inherited.
    let isOwn: Bool

    /// A queue as long as the kernel allows (net.core.somaxconn).
    private static let backlog: Int32 = 4096

    init(inherited descriptor: Int32) throws(Failure) {
        var accepts: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0,
            accepts != 0
        else {
            throw Failure(.configuration, "descriptor \(descriptor) is not a listening socket")
        }
        self.descriptor = descriptor
        (path, device, inode, isOwn) = (nil, 0, 0, false)
        // Sockets that are accepted inherit the option, so that replies do not wait for each other's acknowledgement.
        var one: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Who may connect to a unix socket.
    struct Access {
        let mask: UInt32
        let group: gid_t?
    }

    /// Makes a unix socket at `path`, in the place of one that nobody listens on any more.
    ///
    /// The directory is locked meanwhile, so that of two daemons started at once one gets the socket and the other says why not.
    init(unix path: String, access: Access) throws(Failure) {
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let directory = parent.isEmpty ? "/" : parent
        let lock = try Self.lock(directory)
        defer { close(lock) }
        try Self.removeStale(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw Failure(.systemError, "no socket: \(SystemError.last)")
        }
        // Nobody but us until group and mode are right.
        let oldMask = umask(0o177)
        let status = unsafe UnixAddress(path)?.withPointer { unsafe bind(descriptor, $0, $1) }
        let bindError = SystemError.last
        umask(oldMask)
        guard status == 0 else {
            close(descriptor)
            throw Failure(.cannotCreate, "the socket \(path) cannot be made: \(bindError)")
        }
        var file = stat()
        let mode = mode_t(0o666 & ~access.mask)
        guard unsafe lstat(path, &file) == 0,
            access.group.map({ unsafe chown(path, uid_t.max, $0) == 0 }) ?? true,
            unsafe chmod(path, mode) == 0, listen(descriptor, Self.backlog) == 0
        else {
            let error = SystemError.last
            _ = unsafe unlink(path)
            close(descriptor)
            throw Failure(.cannotCreate, "the socket \(path) cannot be set up: \(error)")
        }
        self.descriptor = descriptor
        self.path = path
        device = file.st_dev
        inode = file.st_ino
        isOwn = true
    }

    /// Listens on a TCP port of one host or, without one, of all addresses.
    init(port: UInt16, host: String?, family: Int32) throws(Failure) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        defer { unsafe freeaddrinfo(list) }
        let name =
            "\(family == AF_INET6 ? "inet6" : "inet"):\(port)" + (host.map { "@\($0)" } ?? "")
        guard status == 0, let address = unsafe list?.pointee else {
            let reason = unsafe gai_strerror(status).map { unsafe String(cString: $0) }
            throw Failure(
                .configuration,
                "the host of socket \(name) has no such address: \(reason ?? "unknown")")
        }
        let descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw Failure(.systemError, "no socket: \(SystemError.last)")
        }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
        guard unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
            listen(descriptor, Self.backlog) == 0
        else {
            let error = SystemError.last
            close(descriptor)
            let isTaken = error.code == EADDRINUSE
            throw Failure(
                isTaken ? .tempFail : .cannotCreate,
                "cannot listen on \(name): "
                    + (isTaken ? "another program listens there" : "\(error)"))
        }
        self.descriptor = descriptor
        (path, device, inode, isOwn) = (nil, 0, 0, true)
    }

    /// Takes the socket's file away, unless another one has come into its place.
    func removeFile() {
        guard let path else { return }
        var file = stat()
        guard unsafe lstat(path, &file) == 0, file.st_dev == device, file.st_ino == inode else {
            return
        }
        _ = unsafe unlink(path)
    }

    /// Opens and locks the socket's directory; waits at most two seconds.
    private static func lock(_ directory: String) throws(Failure) -> Int32 {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(
                .cannotCreate,
                "the socket's directory \(directory) cannot be opened: \(SystemError.last); "
                    + "make it, with a group that the mail server is in")
        }
        for _ in 0..<200 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
            usleep(10_000)
        }
        close(descriptor)
        throw Failure(.tempFail, "another program keeps \(directory) locked")
    }

    /// Removes a socket that nobody answers on; anything else stays and is an error.
    private static func removeStale(_ path: String) throws(Failure) {
        var file = stat()
        guard unsafe lstat(path, &file) == 0 else { return }
        guard file.st_mode & S_IFMT == S_IFSOCK else {
            throw Failure(.cannotCreate, "\(path) exists and is not a socket; it is left alone")
        }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0
        )
        defer { close(probe) }
        let status = unsafe UnixAddress(path)?.withPointer { unsafe connect(probe, $0, $1) }
        // Only a refusal proves that nobody listens: a live daemon with a full queue says EAGAIN.
        guard status != 0, errno == ECONNREFUSED else {
            throw Failure(
                .tempFail,
                "another program listens on \(path); stop it first, or choose another socket")
        }
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw Failure(
                .cannotCreate, "the stale socket \(path) cannot be removed: \(SystemError.last)")
        }
    }
}
