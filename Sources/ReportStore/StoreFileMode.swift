internal import Glibc

/// Who may read the files of a store: the owner, and the group.
///
/// Trust: the files may have been made by anything, such as a copy that was restored with another mode.
enum StoreFileMode {
    private static let wanted: mode_t = 0o640
    private static let permissions: mode_t = 0o777
    private static let others: mode_t = 0o007

    /// Gives a database that everybody may read, and what SQLite keeps beside it, the mode that we make them with.
    ///
    /// Only of our own files; none is opened, as closing it would take away the locks of other connections of this process.
    ///
    /// - Returns: the line for the log; nil where nothing had to be done.
    static func tighten(_ path: String) -> String? {
        let before = ["", "-wal", "-shm"].compactMap { tightenOne(path + $0) }
        guard let mode = before.first else { return nil }
        let octal = String(mode, radix: 8)
        return "everybody could use its files (0\(octal)); now their owner and group can (0640)"
    }

    /// The mode that a file had, where it had too much.
    private static func tightenOne(_ path: String) -> mode_t? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_uid == geteuid()
        else { return nil }
        let mode = status.st_mode & permissions
        guard mode & others != 0, unsafe chmod(path, mode & wanted) == 0 else { return nil }
        return mode
    }
}
