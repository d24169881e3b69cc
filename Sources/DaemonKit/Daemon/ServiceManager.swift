import Glibc

/// Tells systemd how the daemon is doing (sd_notify(3)); says nothing where nobody asked.
struct ServiceManager: Sendable {
    private let socket: DatagramSocket?

    /// `path` is the value of NOTIFY_SOCKET.
    init(path: String? = Environment.value("NOTIFY_SOCKET")) {
        socket = path.flatMap { $0.isEmpty ? nil : DatagramSocket(connectedTo: $0) }
    }

    /// Connections are accepted.
    func ready(_ status: String) {
        send("READY=1\nMAINPID=\(getpid())\nSTATUS=\(Self.line(status))")
    }

    /// The configuration is being read again.
    func reloading() {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = now.tv_sec &* 1_000_000 &+ now.tv_nsec / 1000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)\nSTATUS=reading the configuration")
    }

    /// The last connections are being served.
    func stopping() {
        send("STOPPING=1\nSTATUS=finishing")
    }

    /// What `systemctl status` shows; the daemon's state stays as it is.
    func status(_ text: String) {
        send("STATUS=\(Self.line(text))")
    }

    /// A status on one line, as each assignment has its own (sd_notify(3)), and not too long for a person.
    private static func line(_ text: String) -> String {
        LogText.safe(text, limit: statusLimit)
    }

    private static let statusLimit = 300

    private func send(_ text: String) {
        guard let socket else { return }
        // A full queue is systemd's to empty; a second is long enough to wait for it.
        for _ in 0..<100 {
            guard case .full = socket.send(Array(text.utf8)) else { return }
            var descriptor = pollfd(fd: socket.descriptor, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&descriptor, 1, 10)
        }
    }
}
