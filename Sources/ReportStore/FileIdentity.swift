internal import Glibc

/// Which file a path names.
struct FileIdentity: Equatable {
    private let device: dev_t
    private let number: ino_t

    /// Nil where there is no file.
    init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = status.st_dev
        number = status.st_ino
    }
}
