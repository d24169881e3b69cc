internal import DomainKeys
internal import Glibc
internal import MailCrypto
internal import MailSyntax

/// A domain's folder, held open: files in it are written whole or not at all.
struct DomainFolder: ~Copyable {
    private let descriptor: Int32
    private let path: String
    /// Whom new files belong to; nil leaves them to whoever makes them.
    private let owner: (user: uid_t, group: gid_t)?

    /// Opens a folder, and makes it where it is wanted and missing.
    init(_ tree: KeyTree, _ domain: DomainName, makes: Bool) throws(DiskFailure) {
        guard domain.isHostName else { throw DiskFailure("\(domain) is not a host name") }
        let path = "\(tree.root)/\(domain.ascii)"
        let opened = try Self.open(tree.root, domain.ascii, path, makes: makes)
        self.path = path
        descriptor = opened
        owner = Self.owner(of: opened)
    }

    private static func open(
        _ root: String, _ name: String, _ path: String, makes: Bool
    ) throws(DiskFailure) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let top = unsafe Glibc.open(root, flags)
        guard top >= 0 else { throw failure(root) }
        defer { close(top) }
        var folder = unsafe openat(top, name, flags | O_NOFOLLOW)
        if folder < 0, errno == ENOENT, makes {
            guard unsafe mkdirat(top, name, 0o700) == 0 || errno == EEXIST else {
                throw failure(path)
            }
            folder = unsafe openat(top, name, flags | O_NOFOLLOW)
            if folder >= 0, let owner = owner(of: top) { fchown(folder, owner.user, owner.group) }
            fsync(top)
        }
        guard folder >= 0 else { throw failure(path) }
        return folder
    }

    deinit { close(descriptor) }

    /// Whether there is a file of that name.
    func has(_ name: String) -> Bool {
        unsafe faccessat(descriptor, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// The octets of a regular file; nil where there is none of that name.
    func contents(_ name: String, limit: Int) throws(DiskFailure) -> [UInt8]? {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let file = unsafe openat(descriptor, name, flags)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("\(path)/\(name)")
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DiskFailure("\(path)/\(name) is not a regular file")
        }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        defer { wipe(&chunk) }
        while true {
            let count = unsafe read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("\(path)/\(name)") }
            if count == 0 { return octets }
            guard octets.count + count <= limit else {
                throw DiskFailure("\(path)/\(name) is larger than \(limit) octets")
            }
            octets += chunk.prefix(count)
        }
    }

    /// Puts a file in the place of what is there: after a crash it is the one or the other.
    func replace(_ name: String, _ octets: Span<UInt8>, mode: mode_t) throws(DiskFailure) {
        let draft = ".\(name.prefix(200)).new"
        unsafe unlinkat(descriptor, draft, 0)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = unsafe openat(descriptor, draft, flags, mode)
        guard file >= 0 else { throw Self.failure("\(path)/\(draft)") }
        defer { close(file) }
        do throws(DiskFailure) {
            try write(octets, to: file, name)
            // The process's umask has no say.
            guard fchmod(file, mode) == 0 else { throw Self.failure("\(path)/\(name)") }
            if let owner, fchown(file, owner.user, owner.group) != 0 {
                throw Self.failure("\(path)/\(name)")
            }
            guard fsync(file) == 0, unsafe renameat(descriptor, draft, descriptor, name) == 0,
                fsync(descriptor) == 0
            else { throw Self.failure("\(path)/\(name)") }
        } catch {
            unsafe unlinkat(descriptor, draft, 0)
            throw error
        }
    }

    private func write(
        _ octets: Span<UInt8>, to file: Int32, _ name: String
    ) throws(DiskFailure) {
        var done = 0
        while done < octets.count {
            let count = unsafe octets.extracting(done...).withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("\(path)/\(name)") }
            done += count
        }
    }

    /// Overwrites a file and removes it; nothing where there is none.
    ///
    /// File systems that copy on write may keep the old blocks: overwriting is the best that can be done, no promise.
    func destroy(_ name: String) throws(DiskFailure) {
        let file = unsafe openat(descriptor, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        if file >= 0 {
            defer { close(file) }
            var status = stat()
            if unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                let zeros = [UInt8](repeating: 0, count: min(Int(status.st_size), 65_536))
                _ = unsafe Glibc.write(file, zeros, zeros.count)
                fsync(file)
            }
        }
        guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw Self.failure("\(path)/\(name)")
        }
        fsync(descriptor)
    }

    /// What root makes belongs to whom the folder belongs to, or to the signer where that is root.
    private static func owner(of folder: Int32) -> (user: uid_t, group: gid_t)? {
        guard geteuid() == 0 else { return nil }
        var status = stat()
        guard unsafe fstat(folder, &status) == 0 else { return nil }
        if status.st_uid != 0 { return (status.st_uid, status.st_gid) }
        guard let entry = unsafe getpwnam("signet-dkim") else { return nil }
        return unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    private static func failure(_ path: String) -> DiskFailure {
        DiskFailure("\(path): \(unsafe String(cString: strerror(errno)))")
    }
}
