import Glibc

/// Tells every thread that waits for a client that the daemon is asked to stop.
final class StopSignal: Sendable {
    /// Readable from the moment on at which the daemon is asked to stop.
    let descriptor: Int32
    private let writer: Int32

    /// Makes a signal; nil when there are no descriptors left.
    init?() {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        (descriptor, writer) = (ends[0], ends[1])
    }

    /// Whether it was given.
    var isGiven: Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 0) == 1
    }

    /// Gives the signal; it stays given.
    func give() {
        // Nobody reads: the one octet stays in the pipe, and every poll(2) sees it.
        _ = unsafe write(writer, [0], 1)
    }
}
