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
        send("READY=1\nMAINPID=\(getpid())\nSTATUS=\(status)")
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

    private func send(_ text: String) {
        guard let socket else { return }
        // A full queue is systemd's trouble; a second's patience is plenty.
        for _ in 0..<100 {
            guard case .full = socket.send(Array(text.utf8)) else { return }
            var descriptor = pollfd(fd: socket.descriptor, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&descriptor, 1, 10)
        }
    }
}
