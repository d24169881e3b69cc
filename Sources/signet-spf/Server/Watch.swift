import CLinux
import Glibc

/// Waits for many descriptors at once, in one thread (epoll(7)).
final class Watch: Sendable {
    private let descriptor: Int32

    /// Makes a watch; nil when there are no descriptors left.
    init?() {
        descriptor = signet_epoll_create()
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    /// Watches a descriptor; false when the system refuses.
    ///
    /// - Parameters:
    ///   - other: the descriptor.
    ///   - once: whether its first readiness ends the watch, until it is added again.
    /// - Returns: whether it is watched.
    func add(_ other: Int32, once: Bool) -> Bool {
        (once
            ? signet_epoll_watch(descriptor, other)
            : signet_epoll_keep_watching(descriptor, other)) == 0
    }

    /// Watches a descriptor no longer.
    func remove(_ other: Int32) { _ = signet_epoll_forget(descriptor, other) }

    /// The next descriptor that is ready; nil when the time is up, or a signal came.
    func next(milliseconds: Int32 = -1) -> Int32? {
        let ready = signet_epoll_next(descriptor, milliseconds)
        return ready >= 0 ? ready : nil
    }
}
