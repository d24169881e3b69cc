import DaemonKit
import Glibc

/// Accepts connections, and gives each a thread of its own.
final class PolicyServer: Sendable {
    /// The most connections at a time; more wait in the listening socket's queue.
    static let mostSessions = 4_096
    /// Octets of a session's stack.
    ///
    /// Evaluation is the deepest call: at most ten records include each other
    /// (RFC 7208, section 4.6.4).
    static let stackSize = 512 << 10
    /// Seconds that a stopping daemon gives the questions under way.
    private static let drainSeconds = 80

    private let services: Services
    private let stop: StopSignal
    private let sessions = LiveSessions()

    /// Prepares to serve.
    init(_ services: Services, stop: StopSignal) {
        self.services = services
        self.stop = stop
        Self.raiseDescriptorLimit()
    }

    /// Serves one client on standard input and output.
    func serveStandardIO() {
        var session = PolicySession(services, ClientStream(standardIO: stop))
        session.run()
    }

    /// Serves clients of a listening socket until asked to stop; what is under way is then finished.
    func serve(_ listener: Int32) {
        while acceptNext(listener) {}
        // The next daemon, or nobody, gets those who come now.
        close(listener)
        if !sessions.waitForNone(seconds: Self.drainSeconds) {
            services.log.warning("some questions are left unanswered")
        }
    }

    /// Waits for a connection and starts its session; false when asked to stop.
    private func acceptNext(_ listener: Int32) -> Bool {
        var waits = [
            pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard unsafe poll(&waits, 2, -1) > 0 else { return true }
        if waits[1].revents != 0 { return false }
        guard sessions.enter(limit: Self.mostSessions) else {
            usleep(50_000)
            return true
        }
        let client = accept(listener, nil, nil)
        guard client >= 0 else {
            sessions.leave()
            pause(after: errno)
            return true
        }
        start(client)
        return true
    }

    private func start(_ client: Int32) {
        // A client on another host may vanish without a word.
        var one: Int32 = 1
        _ = unsafe setsockopt(
            client, SOL_SOCKET, SO_KEEPALIVE, &one, socklen_t(MemoryLayout<Int32>.size))
        let isStarted = startThread(stackSize: Self.stackSize) { [services, stop, sessions] in
            var session = PolicySession(services, ClientStream(socket: client, stop: stop))
            session.run()
            close(client)
            sessions.leave()
        }
        guard !isStarted else { return }
        services.log.error("there is no thread for another connection: it is closed")
        close(client)
        sessions.leave()
    }

    /// Lets a moment pass after a failure that the next connection would meet too.
    private func pause(after error: Int32) {
        switch error {
        case EAGAIN, EINTR, ECONNABORTED: break
        default:
            services.log.error("no connection can be accepted: \(SystemError(error))")
            usleep(200_000)
        }
    }

    /// Each connection takes a descriptor: as many as the system allows are asked for.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(mostSessions * 2))
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
