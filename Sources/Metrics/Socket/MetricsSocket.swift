internal import Glibc
internal import Threads

/// Gives a daemon's metrics to whoever connects to a unix socket: one connection, one text.
///
/// One thread serves them, one after another, and each for a second at most: a reader that does not
/// read costs the next one that second, and mail nothing. What is read from a connection is nothing.
package final class MetricsSocket: Sendable {
    private let listener: Int32
    private let path: String
    private let isStopping = Locked(false)

    /// How long a reader may take, in seconds.
    private static let patience = 1.0
    /// How many readers may wait.
    private static let backlog: Int32 = 8

    /// Why there is no socket.
    package struct SetupError: Error, CustomStringConvertible {
        /// The reason in words.
        package let description: String
    }

    /// Listens, and starts to serve.
    ///
    /// Everybody on this host may connect: the numbers tell of nobody.
    ///
    /// - Parameters:
    ///   - path: where; a socket that nobody listens on any more is replaced.
    ///   - text: gives the text; called on the socket's thread.
    /// - Throws: why nobody could connect.
    package init(path: String, text: @escaping @Sendable () -> String) throws(SetupError) {
        self.path = path
        listener = try UnixSocket.listen(path, backlog: Self.backlog)
        let listener = listener
        let hasStarted = startThread(stackSize: 512 << 10) { [isStopping] in
            while true {
                let client = accept(listener, nil, nil)
                if isStopping.withLock({ $0 }) {
                    if client >= 0 { Self.close(client) }
                    return
                }
                guard client >= 0 else {
                    // Too many open files, say: that is not over at once.
                    if errno != EINTR, errno != ECONNABORTED { _ = poll(nil, 0, 100) }
                    continue
                }
                Self.serve(client, Array(text().utf8))
                Self.close(client)
            }
        }
        guard hasStarted else {
            Self.close(listener)
            throw SetupError(description: "there is no thread for it")
        }
    }

    /// Serves no more.
    package func close() {
        isStopping.withLock { $0 = true }
        _ = unsafe unlink(path)
        _ = shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func serve(_ client: Int32, _ text: [UInt8]) {
        let deadline = MonotonicTime.now() + patience
        var sent = 0
        while sent < text.count {
            let count = unsafe text.withUnsafeBytes { bytes in
                unsafe send(
                    client, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                continue
            }
            guard count < 0, errno == EAGAIN || errno == EINTR else { return }
            var descriptor = pollfd(fd: client, events: Int16(POLLOUT), revents: 0)
            let left = deadline.seconds(since: .now())
            guard left > 0, unsafe poll(&descriptor, 1, Int32(left * 1_000) + 1) == 1 else {
                return
            }
        }
    }

    private static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}
