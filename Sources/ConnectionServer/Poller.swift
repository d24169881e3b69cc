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

    /// How a wait ended.
    enum Outcome {
        /// With the event of this identifier.
        case event(UInt64)
        /// The time was over.
        case nothingCame
        /// A signal came.
        case interrupted
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

    /// Waits for the next event.
    ///
    /// - Parameter milliseconds: how long to wait; nil for as long as it takes.
    /// - Returns: how the wait ended.
    func next(within milliseconds: Int32?) -> Outcome {
        var id: UInt64 = 0
        return switch unsafe signet_epoll_take(epoll, milliseconds ?? -1, &id) {
        case 1: .event(id)
        case 0: .nothingCame
        default: .interrupted
        }
    }

    /// Lets every thread that waits, now or later, go on.
    func wakeAll() {
        signet_eventfd_signal(event)
    }
}
