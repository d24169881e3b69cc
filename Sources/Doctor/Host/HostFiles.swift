internal import Configuration
internal import Glibc

/// The files of a host: those of the running one, or of a tree that lies below a directory.
///
/// Paths are absolute, as the host itself has them.
///
/// Trust: what is read belongs to the administrator, yet may be anything; sizes are bounded.
package struct HostFiles: Sendable {
    /// The directory that stands for `/`, without a slash at its end; empty for the running host.
    package let root: String

    /// No file is read beyond this.
    private static let sizeLimit = 8 << 20

    /// The tree below a directory, which may be relative to the current one; `/` for the running host.
    package init(root: String) {
        var path = root[...]
        while path.last == "/" { path.removeLast() }
        // Configurations are read with the tree's paths in them, which have to be whole.
        if !path.isEmpty, !path.hasPrefix("/"), let here = unsafe getcwd(nil, 0) {
            defer { unsafe free(here) }
            self.root = unsafe "\(String(cString: here))/\(path)"
        } else {
            self.root = String(path)
        }
    }

    /// Whether this is the running host.
    package var isLive: Bool { root.isEmpty }

    /// Where a file of the host is found here.
    package func place(_ path: String) -> String { root + path }

    /// A file's text; nil where it cannot be read.
    func text(_ path: String) -> String? {
        FileContents.ifReadable(place(path), limit: Self.sizeLimit)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// A file's octets, or why they cannot be had.
    func octets(_ path: String) throws(FileReadError) -> [UInt8] {
        try FileContents.read(place(path), limit: Self.sizeLimit)
    }

    /// Whether there is a file, a directory or a socket of that name.
    func exists(_ path: String) -> Bool { status(path) != nil }

    /// What the file system says about a file, links followed; nil where there is none.
    func status(_ path: String) -> FileStatus? {
        var status = stat()
        guard unsafe stat(place(path), &status) == 0 else { return nil }
        return FileStatus(
            user: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o7777,
            isSocket: status.st_mode & S_IFMT == S_IFSOCK,
            isDirectory: status.st_mode & S_IFMT == S_IFDIR)
    }

    /// The names in a directory, sorted, without those that begin with a dot.
    func names(in directory: String) -> [String] {
        guard let handle = unsafe opendir(place(directory)) else { return [] }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}

/// What the file system says about a file.
struct FileStatus: Hashable, Sendable {
    /// The owner.
    let user: UInt32
    /// The group.
    let group: UInt32
    /// The permissions.
    let mode: UInt32
    /// Whether it is a socket.
    let isSocket: Bool
    /// Whether it is a directory.
    let isDirectory: Bool

    /// The permissions as chmod(1) takes them.
    var octal: String {
        let text = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// Whether somebody has some of the permissions r, w and x, given as an octal digit.
    func allows(_ bits: UInt32, user: UInt32, groups: Set<UInt32>) -> Bool {
        if user == 0 { return true }
        let shift: UInt32 = user == self.user ? 6 : groups.contains(group) ? 3 : 0
        return (mode >> shift) & bits == bits
    }
}
