internal import Glibc

/// Changes on disk that are either made or not, whatever ends the process.
extension FileTree {
    /// What the name of a file that is not yet in its place ends in.
    static let temporarySuffix = ".signet-setup"

    /// Puts a file in its place whole, or leaves what is there.
    package func write(_ file: FileState, to path: String) throws(FileFault) {
        let place = try resolved(path)
        let temporary = place + Self.temporarySuffix
        _ = unsafe unlink(temporary)
        let descriptor = unsafe open(
            temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.fault("cannot be made", temporary) }
        do throws(FileFault) {
            defer { close(descriptor) }
            try Self.write(file.contents, to: descriptor, temporary)
            // The owner first: a change of owner clears bits of the mode.
            try Self.own(descriptor, file.user, file.group, temporary)
            guard fchmod(descriptor, file.mode) == 0, fsync(descriptor) == 0 else {
                throw Self.fault("cannot be written", temporary)
            }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        guard unsafe rename(temporary, place) == 0 else {
            throw Self.fault("cannot be put in its place", place)
        }
        try synchronizeParent(of: place)
    }

    /// Removes a file; nothing happens where there is none.
    func remove(_ path: String) throws(FileFault) {
        let place = try resolved(path)
        guard unsafe unlink(place) == 0 || errno == ENOENT else {
            throw Self.fault("cannot be removed", place)
        }
        try synchronizeParent(of: place)
    }

    /// Removes what an interrupted `write` may have left.
    func removeTemporary(of path: String) throws(FileFault) {
        let place = try resolved(path)
        _ = unsafe unlink(place + Self.temporarySuffix)
    }

    /// Makes a directory; nothing happens where it exists.
    package func makeDirectory(_ directory: NeededDirectory) throws(FileFault) {
        let place = try resolved(directory.path)
        guard unsafe mkdir(place, 0o700) == 0 else {
            if errno == EEXIST { return }
            throw Self.fault("cannot be made", place)
        }
        let descriptor = unsafe open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw Self.fault("cannot be opened", place) }
        defer { close(descriptor) }
        try Self.own(descriptor, directory.user, directory.group, place)
        guard fchmod(descriptor, directory.mode) == 0 else {
            throw Self.fault("cannot be given its mode", place)
        }
        try synchronizeParent(of: place)
    }

    /// Removes a directory that is empty; one that is not, or not there, stays as it is.
    func removeDirectoryIfEmpty(_ path: String) throws(FileFault) {
        let place = try resolved(path)
        _ = unsafe rmdir(place)
        try synchronizeParent(of: place)
    }

    /// Takes a lock that ends with the process; nil where another process has it.
    func lock(_ path: String) throws(FileFault) -> FileLock? {
        let place = try resolved(path)
        let descriptor = unsafe open(place, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.fault("cannot be made", place) }
        let lock = FileLock(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        return lock
    }

    private func synchronizeParent(of place: String) throws(FileFault) {
        guard let slash = place.lastIndex(of: "/") else { return }
        let parent = slash == place.startIndex ? "/" : String(place[..<slash])
        let descriptor = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.fault("cannot be opened", parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.fault("cannot be synchronized", parent) }
    }

    private static func write(
        _ contents: [UInt8], to descriptor: Int32, _ path: String
    ) throws(FileFault) {
        var done = 0
        while done < contents.count {
            let count = unsafe contents[done...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault("cannot be written", path) }
            done += count
        }
    }

    /// Gives a file to its owner; whoever is not root keeps what root would have given away.
    private static func own(
        _ descriptor: Int32, _ user: UInt32, _ group: UInt32, _ path: String
    ) throws(FileFault) {
        guard geteuid() == 0 else { return }
        guard fchown(descriptor, user, group) == 0 else {
            throw fault("cannot be given to its owner", path)
        }
    }
}

/// A lock on a file, for as long as the value lives.
final class FileLock {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        // A child that is being started may hold the descriptor until it executes its program.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
