internal import Configuration
import Glibc

/// The file that holds the process id while the daemon runs.
struct PidFile: Sendable {
    let path: String

    /// Writes the file as the daemon's own user, and as root only where that one may not.
    ///
    /// Where the daemon's user may write, he could have put a link to any file of root's; where he may not, he could not.
    static func write(_ path: String, mask: UInt32, as account: Account?) throws(Failure) -> PidFile
    {
        var error = try Privileges.acting(as: account) { create(path, mask: mask) }
        if error?.code == EACCES || error?.code == EPERM, geteuid() == 0 {
            error = create(path, mask: mask)
        }
        if let error {
            throw Failure(.cannotCreate, "the pid file \(path) cannot be written: \(error)")
        }
        return PidFile(path: path)
    }

    /// Takes the file away; where the daemon may not, it stays and the next start overwrites it.
    func remove() {
        _ = unsafe unlink(path)
    }

    private static func create(_ path: String, mask: UInt32) -> SystemError? {
        let descriptor = unsafe open(
            path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
            mode_t(0o644 & ~mask))
        guard descriptor >= 0 else { return .last }
        defer { close(descriptor) }
        let text = Array("\(getpid())\n".utf8)
        return unsafe Glibc.write(descriptor, text, text.count) == text.count ? nil : .last
    }
}
