import CLinux
import Glibc

/// One epoll(7) in which all threads wait; each event goes to one thread, and ends the watch until
/// it is renewed (EPOLLONESHOT).
final class Poller: Sendable {
    /// What a descriptor is watched for.
    enum Interest {
        case input
        case room
    }

    /// The identifier that `next` gives, to every thread and for good, after `wakeAll`.
    static let wake: UInt64 = 0

    private let epoll: Int32
    private let event: Int32

    init() throws(ConnectionServer.SetupError) {
        epoll = signet_epoll_create()
        guard epoll >= 0 else { throw ConnectionServer.SetupError(errno) }
        event = signet_eventfd()
        guard event >= 0, signet_epoll_add_lasting(epoll, event, Self.wake) == 0 else {
            let code = errno
            close(epoll)
            if event >= 0 { close(event) }
            throw ConnectionServer.SetupError(code)
        }
    }

    deinit {
        close(epoll)
        close(event)
    }

    /// Begins to watch a descriptor; false when the system refuses.
    func add(_ descriptor: Int32, id: UInt64) -> Bool {
        signet_epoll_add(epoll, descriptor, id) == 0
    }

    /// Renews a watch after its event.
    func renew(_ descriptor: Int32, id: UInt64, for interest: Interest) -> Bool {
        signet_epoll_renew(epoll, descriptor, interest == .room ? 1 : 0, id) == 0
    }

    /// Ends a watch.
    func remove(_ descriptor: Int32) {
        _ = signet_epoll_forget(epoll, descriptor)
    }

    /// Waits for the next event, and returns its identifier; nil when a signal came.
    func next() -> UInt64? {
        var id: UInt64 = 0
        return unsafe signet_epoll_take(epoll, &id) == 1 ? id : nil
    }

    /// Lets every thread that waits, now or later, go on.
    func wakeAll() {
        signet_eventfd_signal(event)
    }
}
