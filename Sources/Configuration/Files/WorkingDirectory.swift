import Glibc

/// The directory that the process was started in.
enum WorkingDirectory {
    /// The directory that a file named relative to it is in; nil where there is no such file, or no such directory.
    static func of(_ file: String) -> String? {
        guard unsafe access(file, F_OK) == 0, let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
