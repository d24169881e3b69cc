import ArgumentParser
import Glibc
import MailCrypto

/// The directory that new keys are written to.
///
/// Nothing that exists is overwritten: a lost private key cannot be made again.
struct KeyFolder {
    /// Where signet-dkim's own keys live; what root makes there belongs to its user.
    static let keysOfDaemon = "/etc/signet/keys"

    private let directory: String
    /// The user and group that files are given to; nil leaves them the caller's.
    private let owner: (user: uid_t, group: gid_t)?

    /// Prepares the directory, and checks before any key is made that none of the files exists.
    init(_ directory: String, selectors: [String]) throws {
        self.directory = directory
        owner = Self.owner(of: directory)
        try makeDirectories()
        for selector in selectors {
            for suffix in ["private", "txt", "dns"] {
                guard unsafe access(path(selector, suffix), F_OK) != 0 else {
                    complain(
                        "\(path(selector, suffix)) exists and is not overwritten; choose another selector"
                    )
                    throw ExitCode(EX_CANTCREAT)
                }
            }
        }
    }

    /// The path of one of a selector's files.
    func path(_ selector: String, _ suffix: String) -> String {
        directory == "." ? "\(selector).\(suffix)" : "\(directory)/\(selector).\(suffix)"
    }

    /// Writes a key and its records.
    func write(selector: String, key: PrivateKey, record: KeyRecordText) throws {
        try key.withPEM { try create(path(selector, "private"), mode: 0o600, $0) }
        try create(path(selector, "txt"), mode: 0o644, Array(record.zoneText.utf8).span)
        try create(path(selector, "dns"), mode: 0o644, Array("\(record.line)\n".utf8).span)
    }

    private func create(_ path: String, mode: mode_t, _ contents: Span<UInt8>) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("cannot create", path) }
        defer { close(file) }
        var done = 0
        while done < contents.count {
            let rest = contents.extracting(done...)
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            guard count > 0 else { throw failure("cannot write", path) }
            done += count
        }
        if let owner, fchown(file, owner.user, owner.group) != 0 {
            throw failure("cannot change the owner of", path)
        }
        guard fsync(file) == 0 else { throw failure("cannot write", path) }
    }

    /// Makes the directory and what leads to it, closed to others.
    private func makeDirectories() throws {
        var path = directory.hasPrefix("/") ? "/" : ""
        for part in directory.split(separator: "/") {
            path += path.isEmpty || path.hasSuffix("/") ? part : "/\(part)"
            if unsafe mkdir(path, 0o700) == 0 {
                if let owner, unsafe chown(path, owner.user, owner.group) != 0 {
                    throw failure("cannot change the owner of", path)
                }
            } else if errno != EEXIST {
                throw failure("cannot make", path)
            }
        }
    }

    private func failure(_ what: String, _ path: String) -> ExitCode {
        complain("\(what) \(path): \(unsafe String(cString: strerror(errno)))")
        return ExitCode(EX_CANTCREAT)
    }

    /// Root's keys below the daemon's directory belong to the daemon; all others to whoever makes them.
    private static func owner(of directory: String) -> (user: uid_t, group: gid_t)? {
        guard geteuid() == 0,
            directory == keysOfDaemon || directory.hasPrefix("\(keysOfDaemon)/"),
            let entry = unsafe getpwnam("signet-dkim")
        else { return nil }
        return unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }
}
