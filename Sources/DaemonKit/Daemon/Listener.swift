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
        // Sockets that are accepted inherit the option, so that replies do not wait for each other's
        // acknowledgement.
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
    /// Trust: others may write to the directory. Mode and group are the socket's from the moment it
    /// exists (umask and effective group), and no name in the directory is ever followed: root
    /// would change whatever somebody has put there. The socket listens under a name of its own
    /// before it gets the one that clients know, so that whoever is refused on that one knows that
    /// nobody listens. Daemons that start at once take turns by a lock on the directory; whoever
    /// else keeps that lock delays a start by a second, and cannot prevent it.
    init(unix path: String, access: Access) throws(Failure) {
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let directory = parent.isEmpty ? "/" : parent
        let lock = try Self.lock(directory)
        defer { close(lock) }
        let own = parent + "/." + String(UInt32.random(in: 0 ... .max), radix: 36)
        let descriptor = try Self.listening(at: own, access, for: path)
        var file = stat()
        guard unsafe lstat(own, &file) == 0 else {
            let error = SystemError.last
            close(descriptor)
            throw Failure(.cannotCreate, "the socket \(path) cannot be made: \(error)")
        }
        defer { _ = unsafe unlink(own) }
        do throws(Failure) {
            try Self.give(path, to: own)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
        device = file.st_dev
        inode = file.st_ino
        isOwn = true
    }

    /// Makes a socket that listens at `own`; `path` is for messages.
    private static func listening(
        at own: String, _ access: Access, for path: String
    ) throws(Failure) -> Int32 {
        guard let address = UnixAddress(own), UnixAddress(own + "-") != nil else {
            throw Failure(.cannotCreate, "the socket's path \(path) is too long")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw Failure(.systemError, "no socket: \(SystemError.last)")
        }
        let oldGroup = getegid()
        let isRoot = geteuid() == 0
        if let group = access.group, isRoot, setegid(group) != 0 {
            let error = SystemError.last
            close(descriptor)
            throw Failure(.cannotCreate, "the socket \(path) cannot get its group: \(error)")
        }
        let oldMask = umask(mode_t(0o111 | access.mask))
        var status = unsafe address.withPointer { unsafe Glibc.bind(descriptor, $0, $1) }
        var error = SystemError.last
        umask(oldMask)
        // Without being root, only a member of the group can give it; lchown(2) follows no link.
        if status == 0, let group = access.group, !isRoot {
            status = unsafe lchown(own, uid_t.max, group)
            error = .last
        }
        if status == 0 {
            status = listen(descriptor, backlog)
            error = .last
        }
        guard !isRoot || setegid(oldGroup) == 0 else {
            throw Failure(.systemError, "cannot return to the group: \(SystemError.last)")
        }
        guard status == 0 else {
            _ = unsafe unlink(own)
            close(descriptor)
            throw Failure(.cannotCreate, "the socket \(path) cannot be made: \(error)")
        }
        return descriptor
    }

    /// Gives the name `path` to the socket at `own`, in the place of one that nobody listens on.
    private static func give(_ path: String, to own: String) throws(Failure) {
        // Each round but the last removes a socket that nobody listens on.
        for _ in 0..<8 {
            if unsafe link(own, path) == 0 { return }
            guard errno == EEXIST else {
                throw Failure(
                    .cannotCreate, "the socket \(path) cannot be made: \(SystemError.last)")
            }
            try checkStale(path)
            // Another daemon may have taken the name since: what is moved away is looked at again.
            let removed = own + "-"
            guard unsafe rename(path, removed) == 0 || errno == ENOENT else {
                throw Failure(
                    .cannotCreate,
                    "the stale socket \(path) cannot be removed: \(SystemError.last)")
            }
            do throws(Failure) {
                try checkStale(removed, named: path)
            } catch {
                _ = unsafe link(removed, path)
                _ = unsafe unlink(removed)
                throw error
            }
            _ = unsafe unlink(removed)
        }
        throw Failure(.tempFail, "other programs keep taking the name \(path)")
    }

    /// Makes sure that what is at `path`, if anything, is a socket that nobody listens on.
    private static func checkStale(_ path: String, named name: String? = nil) throws(Failure) {
        var file = stat()
        guard unsafe lstat(path, &file) == 0 else { return }
        guard file.st_mode & S_IFMT == S_IFSOCK else {
            throw Failure(
                .cannotCreate, "\(name ?? path) exists and is not a socket; it is left alone")
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
                "another program listens on \(name ?? path); stop it first, or choose another "
                    + "socket")
        }
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

    /// Opens the socket's directory, and waits at most a second to lock it.
    private static func lock(_ directory: String) throws(Failure) -> Int32 {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(
                .cannotCreate,
                "the socket's directory \(directory) cannot be opened: \(SystemError.last); "
                    + "make it, with a group that the mail server is in")
        }
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
            usleep(10_000)
        }
        return descriptor
    }
}
