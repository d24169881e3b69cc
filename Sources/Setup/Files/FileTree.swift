internal import Glibc

/// The files of a host: this one, or one whose root is a directory.
///
/// In a directory no symbolic link is followed, since it would lead out of it: nothing outside is read or written.
package struct FileTree: Sendable {
    /// The directory that stands for `/`, without a slash at its end; empty for this host.
    package let root: String

    private static let sizeLimit = 16 << 20

    /// The tree below a directory; `/` is this host.
    package init(root: String) {
        self.root = root == "/" ? "" : root.hasSuffix("/") ? String(root.dropLast()) : root
    }

    /// Whether it is this host, with its services.
    package var isThisHost: Bool { root.isEmpty }

    /// The path for the system, symbolic links of this host resolved.
    func resolved(_ path: String) throws(FileFault) -> String {
        guard path.hasPrefix("/"), !path.utf8.contains(0), !path.utf8.contains(10),
            !path.split(separator: "/").contains("..")
        else { throw FileFault("\(path): not an absolute path") }
        if isThisHost { return Self.realPath(path) ?? path }
        var place = root
        for part in path.split(separator: "/") {
            place += "/\(part)"
            if let status = Self.status(place, follows: false), status.st_mode & S_IFMT == S_IFLNK {
                throw FileFault(
                    "\(path): a symbolic link, which is not followed below \(root)")
            }
        }
        return place
    }

    /// A regular file; nil where there is nothing.
    package func file(_ path: String) throws(FileFault) -> FileState? {
        let place = try resolved(path)
        let descriptor = unsafe open(place, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Self.fault("cannot be read", place)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw Self.fault("cannot be read", place)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.sizeLimit else {
            throw FileFault("\(place): not a regular file of at most \(Self.sizeLimit) octets")
        }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, contents.count + count <= Self.sizeLimit else {
                throw Self.fault("cannot be read", place)
            }
            if count == 0 { break }
            contents += chunk.prefix(count)
        }
        return FileState(
            contents, mode: status.st_mode & 0o7777, user: status.st_uid, group: status.st_gid)
    }

    /// The names in a directory, sorted; none where there is no such directory.
    package func names(in path: String) -> [String] {
        guard let place = try? resolved(path), let directory = unsafe opendir(place) else {
            return []
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether there is anything at a path.
    package func exists(_ path: String) -> Bool {
        guard let place = try? resolved(path) else { return false }
        return Self.status(place, follows: false) != nil
    }

    static func status(_ path: String, follows: Bool) -> stat? {
        var status = stat()
        let result = unsafe follows ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? status : nil
    }

    static func fault(_ what: String, _ path: String) -> FileFault {
        FileFault("\(path): \(what): \(unsafe String(cString: strerror(errno)))")
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
