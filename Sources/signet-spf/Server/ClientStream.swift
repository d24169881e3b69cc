import Glibc

/// The two directions of a client's connection, with a time limit for each step.
///
/// Trust: the client may send nothing, or anything, and may never read.
struct ClientStream: Sendable {
    /// What came of waiting for octets.
    enum Event {
        /// These octets have come.
        case octets([UInt8])
        /// The client has closed the connection, or it is broken.
        case closed
        /// Nothing came in time.
        case late
        /// The daemon is asked to stop, and nothing has come.
        case stop
    }

    /// Octets that are read at a time; a question of Postfix has below 1,000.
    private static let chunk = 4_096

    private let input: Int32
    private let output: Int32
    private let outputIsSocket: Bool
    private let stop: StopSignal

    /// A client's socket.
    init(socket: Int32, stop: StopSignal) {
        (input, output, outputIsSocket) = (socket, socket, true)
        self.stop = stop
    }

    /// Standard input and output: sockets under spawn(8), pipes under a script.
    init(standardIO stop: StopSignal) {
        var status = stat()
        outputIsSocket = unsafe fstat(1, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        (input, output) = (0, 1)
        self.stop = stop
    }

    /// Waits for octets and reads them.
    ///
    /// - Parameters:
    ///   - seconds: how long to wait; nil for as long as the client likes.
    ///   - heedsStop: whether a request to stop ends the wait.
    /// - Returns: what came of it.
    func read(seconds: Double?, heedsStop: Bool) -> Event {
        while true {
            var waits = [
                pollfd(fd: input, events: Int16(POLLIN), revents: 0),
                pollfd(fd: heedsStop ? stop.descriptor : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = unsafe poll(&waits, 2, Self.milliseconds(seconds))
            if ready == 0 { return .late }
            if ready < 0 {
                if errno == EINTR { continue }
                return .closed
            }
            // What has come is answered, even when the daemon is to stop.
            if waits[0].revents == 0 { return .stop }
            // An array of its own each time: most connections are idle, and then none is kept.
            var error: Int32 = 0
            let octets = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, count in
                let got = unsafe Glibc.read(input, buffer.baseAddress, buffer.count)
                error = got < 0 ? errno : 0
                count = max(got, 0)
            }
            if !octets.isEmpty { return .octets(octets) }
            if error == EINTR || error == EAGAIN { continue }
            return .closed
        }
    }

    /// Writes all octets; false when the client does not take them in time.
    func write(_ octets: [UInt8], seconds: Double) -> Bool {
        var sent = 0
        while sent < octets.count {
            // A pipe that polls writable takes a whole answer (pipe(7), PIPE_BUF); a socket says so.
            if !outputIsSocket, !waitWritable(seconds) { return false }
            let count = unsafe octets.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return outputIsSocket
                    ? unsafe send(
                        output, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                    : unsafe Glibc.write(output, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                guard waitWritable(seconds) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// The time in poll(2)'s form, in which -1 has no end.
    private static func milliseconds(_ seconds: Double?) -> Int32 {
        seconds.map { Int32(clamping: Int($0 * 1_000)) } ?? -1
    }

    private func waitWritable(_ seconds: Double) -> Bool {
        while true {
            var wait = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
            let ready = unsafe poll(&wait, 1, Self.milliseconds(seconds))
            if ready < 0, errno == EINTR { continue }
            return ready == 1 && wait.revents & Int16(POLLOUT) != 0
        }
    }
}
