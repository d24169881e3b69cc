internal import CLinux
internal import ConnectionServer
internal import Glibc
internal import Milter
internal import Threads

/// Stands between the MTA and libmilter, and lets only well-formed frames through.
///
/// libmilter runs past the end of a list of macros in which one has no value, before any callback
/// could look at it. So the MTA's connections end here; each has one of its own to libmilter, and a
/// thread that copies both ways. Time limits but those for writing are libmilter's: when it closes
/// a connection, the MTA's ends with it.
final class FrameRelay: Sendable {
    /// Connections at a time, and so threads, where there are descriptors enough.
    private static let mostConnections = 1_024
    /// Octets of a thread's stack; what is not touched takes no memory.
    private static let stackSize = 256 << 10
    /// Seconds until accept(2) is tried again after a failure that would otherwise repeat at once.
    private static let acceptPause = 0.1

    private let listener: ListeningSocket
    private let target: PrivateSocket
    private let service: MilterService
    /// Connections at a time; more wait in the listening socket's queue.
    ///
    /// Each has three descriptors, and libmilter, when it cannot accept one for want of them, tries again
    /// without a pause: a quarter is left for everything else.
    private let limit: Int
    /// Readable from the moment of `stop` on.
    private let stopEvent: Int32
    /// The connections that are open.
    private let connections = Monitor(0)
    private let problems = RateLimit(seconds: 60)

    /// Prepares to accept on a listening socket, which the relay closes when it is stopped.
    init(listening listener: Int32, target: PrivateSocket, service: MilterService) {
        self.listener = ListeningSocket(listener)
        self.target = target
        self.service = service
        stopEvent = signet_eventfd()
        limit = max(1, min(Self.mostConnections, Self.descriptors / 4))
    }

    /// Begins to accept, on a thread of its own; false when the system has none to give.
    func start() -> Bool { startThread(stackSize: Self.stackSize) { [self] in acceptAll() } }

    /// Ends accepting; connections end with libmilter.
    func stop() { signet_eventfd_signal(stopEvent) }

    private func acceptAll() {
        while true {
            var waits = [
                pollfd(fd: stopEvent, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&waits, 2, -1)
            guard waits[0].revents == 0 else { break }
            guard waits[1].revents != 0, hasRoom() else { continue }
            switch listener.accept() {
            case .connection(let mta): begin(mta)
            case .none: break
            case .failed(let code):
                report("no connection can be accepted, others wait: \(SystemText(code))")
                usleep(UInt32(Self.acceptPause * 1e6))
            }
        }
        listener.close()
    }

    /// Waits a while for a place for one more connection; whether there is one.
    private func hasRoom() -> Bool {
        if connections.withLock({ $0 < limit }) { return true }
        report("there are \(limit) connections, the limit: others wait")
        return connections.wait(until: .now() + 1) { $0 < limit ? true : nil } ?? false
    }

    /// How many descriptors the process may have.
    private static var descriptors: Int {
        var most = rlimit()
        let status = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most)
        return status == 0 ? Int(clamping: most.rlim_cur) : 1_024
    }

    private func begin(_ mta: Int32) {
        connections.withLock { $0 += 1 }
        let isStarted = startThread(stackSize: Self.stackSize) { [self] in
            serve(mta)
            end(mta)
        }
        guard !isStarted else { return }
        report("no thread can be started: a connection is closed")
        end(mta)
    }

    private func serve(_ mta: Int32) {
        guard let libmilter = target.connect(patience: RelayedConnection.patience) else {
            return report("libmilter cannot be reached: \(SystemText(errno))")
        }
        var connection = RelayedConnection(mta: mta, libmilter: libmilter, service)
        connection.run()
        close(libmilter)
    }

    private func end(_ mta: Int32) {
        close(mta)
        connections.update { $0 -= 1 }
    }

    private func report(_ text: String) {
        if problems.allows() { service.onProblem(text) }
    }
}
