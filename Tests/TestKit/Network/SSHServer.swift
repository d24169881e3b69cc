internal import Foundation
internal import Glibc
import Synchronization

/// A private sshd on loopback, which lets its own key in as root and nothing else.
///
/// What is started by it may find another directory at a path than everybody else does: so one machine has several hosts.
public final class SSHServer: Sendable {
    /// Whether the programs are there, and the test may start them.
    public static let isInstalled =
        getuid() == 0
        && ["sshd", "ssh", "ssh-keygen", "rsync"].allSatisfy { (try? Command.path(of: $0)) != nil }

    /// A directory that is seen at a path.
    public struct Place: Sendable {
        let directory: String
        let path: String

        /// `directory` seen at `path`, which has to be a directory too.
        public init(_ directory: String, at path: String) {
            self.directory = directory
            self.path = path
        }

        /// A command for which the directory is there.
        public func command(_ words: [String]) -> [String] {
            [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"", directory, path,
            ] + words
        }
    }

    private let directory: TemporaryDirectory
    private let place: Place
    private let port: UInt16
    private let process = Mutex<ChildProcess?>(nil)

    /// Makes keys, and starts it.
    public init(_ place: Place) throws {
        directory = try TemporaryDirectory("signet-ssh")
        self.place = place
        port = try LoopbackPort.free()
        for name in ["host", "user"] {
            try Command.require(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", directory.file(name)])
        }
        try directory.write(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(directory.file("host"))
            AuthorizedKeysFile \(directory.file("user.pub"))
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            PermitRootLogin prohibit-password

            """, to: "sshd_config")
        // Debian's unit makes the directory in which sshd gives its privileges up.
        try FileManager.default.createDirectory(
            atPath: "/run/sshd", withIntermediateDirectories: true)
        try start()
    }

    deinit { stop() }

    /// Lines of ssh_config(5) by which the server is known as `name`.
    public func clientConfiguration(_ name: String) -> String {
        """
        Host \(name)
            HostName 127.0.0.1
            Port \(port)
            User root
            IdentityFile \(directory.file("user"))
            IdentitiesOnly yes
            BatchMode yes
            StrictHostKeyChecking no
            UserKnownHostsFile /dev/null
            LogLevel ERROR

        """
    }

    /// Starts it, and waits until it answers.
    public func start() throws {
        let words = place.command([
            try Command.path(of: "sshd"), "-D", "-e", "-f", directory.file("sshd_config"),
        ])
        let child = try ChildProcess(
            words[0], Array(words.dropFirst()),
            descriptors: [.file(directory.file("log"), as: 2)])
        process.withLock { $0 = child }
        _ = try wait(for: "sshd to answer", seconds: 20) {
            LoopbackSockets.accepts(port: port) ? true : nil
        }
    }

    /// Ends it.
    public func stop() {
        let child = process.withLock { $0.take() }
        child?.stop()
    }
}
