import Glibc

/// The listening sockets that systemd passes (sd_listen_fds(3)).
struct SocketActivation: Sendable {
    /// One passed descriptor with the name that the socket unit gives it.
    struct Passed: Hashable, Sendable {
        let descriptor: Int32
        let name: String
    }

    let passed: [Passed]

    /// No socket was passed.
    static let none = SocketActivation(process: nil, count: nil, names: nil, self: 0)

    /// Reads and clears the environment variables, so that no child takes them for its own.
    static func take() -> SocketActivation {
        let activation = SocketActivation(
            process: Environment.value("LISTEN_PID"), count: Environment.value("LISTEN_FDS"),
            names: Environment.value("LISTEN_FDNAMES"), self: getpid())
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe unsetenv(name) }
        for socket in activation.passed { _ = fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC) }
        return activation
    }

    /// Interprets the variables' values; they count only when they are meant for this process.
    init(process: String?, count: String?, names: String?, self own: Int32) {
        guard let process, Int32(process) == own, let count = count.flatMap({ Int32($0) }),
            (1...64).contains(count)
        else {
            passed = []
            return
        }
        let names = (names ?? "").split(separator: ":", omittingEmptySubsequences: false)
        passed = (0..<count).map { index in
            let name = Int(index) < names.count ? String(names[Int(index)]) : ""
            return Passed(descriptor: 3 + index, name: name)
        }
    }

    /// The socket to listen on: the only one, or the one of several that bears the daemon's name.
    func socket(named name: String) throws(Failure) -> Int32? {
        guard let first = passed.first else { return nil }
        let chosen = passed.count == 1 ? first : passed.first { $0.name == name }
        guard let chosen else {
            throw Failure(
                .configuration,
                "systemd passes \(passed.count) sockets and none is called \(name): pass one, or set "
                    + "FileDescriptorName=\(name) in the socket unit that is meant")
        }
        return chosen.descriptor
    }
}
