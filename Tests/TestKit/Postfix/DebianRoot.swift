internal import Foundation

/// A Debian release beside the machine's own, whose programs run in a chroot.
///
/// Made with mmdebstrap once a month and kept outside the project, in `$SIGNET_CACHE` or
/// `/var/cache/signet-tests`; the first use takes about a minute. Nothing is written to it when its
/// programs run: /tmp and the users are the machine's.
public struct DebianRoot: Sendable {
    /// The directory.
    public let path: String

    /// Test cases run side by side: one of them makes the root, the others find it.
    private static let making = NSLock()

    /// Finds or makes the root of `suite`, such as `trixie`, with `packages`.
    public init(_ suite: String, packages: [String]) throws {
        let cache = ProcessInfo.processInfo.environment["SIGNET_CACHE"] ?? "/var/cache/signet-tests"
        let month = Date().formatted(.iso8601.year().month())
        path = "\(cache)/\(suite)-\(packages.joined(separator: "-"))-\(month)"
        let manager = FileManager.default
        Self.making.lock()
        defer { Self.making.unlock() }
        guard !manager.fileExists(atPath: path) else { return }
        try manager.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let new = "\(path).new.\(getpid())"
        defer { try? manager.removeItem(atPath: new) }
        try Command.require(
            "mmdebstrap",
            [
                "--quiet", "--variant=minbase", "--include=\(packages.joined(separator: ","))",
                suite, new,
            ], seconds: 600)
        // Another process may have been faster.
        if unsafe rename(new, path) != 0, !manager.fileExists(atPath: path) {
            throw TestKitError("\(new) cannot be renamed: errno \(errno)")
        }
    }

    /// The command that runs `command` in the root: it sees the machine's /tmp, users and random numbers.
    ///
    /// The mounts belong to a namespace of their own, and go with the process.
    func command(_ command: [String]) -> [String] {
        let script = """
            set -e
            mount --bind /tmp "$0/tmp"
            mount --bind /dev "$0/dev"
            mount --bind /etc/passwd "$0/etc/passwd"
            mount --bind /etc/group "$0/etc/group"
            exec chroot "$0" "$@"
            """
        return [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script,
            path,
        ]
            + command
    }
}
