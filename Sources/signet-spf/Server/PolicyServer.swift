import Configuration
import DaemonKit
import Glibc
import Threads

/// Accepts connections, and gives each a thread while it has something to say.
///
/// Postfix keeps connections open for many minutes. One that is silent for a moment is parked: its thread
/// ends, and the accepting thread waits for all that are parked, so that an idle connection costs what is
/// remembered of it and no stack.
final class PolicyServer: Sendable {
    /// The most connections at a time; more wait in the listening socket's queue.
    static let mostSessions = 4_096
    /// Octets of a session's stack.
    ///
    /// Most of them are only addresses: what has not been touched takes no memory. The C library keeps 40 MB of
    /// stacks for new threads, of which these are few.
    private static let stackSize = 4 << 20
    /// How long nothing must come before memory is given back.
    private static let quietMilliseconds: Int32 = 1_000
    /// Seconds that a stopping daemon gives the questions under way.
    private static let drainSeconds = 80

    private let services: Services
    private let stop: StopSignal
    private let watch: Watch
    private let sessions = LiveSessions()
    /// Sessions without a thread, by their sockets.
    private let parked = Locked<[Int32: PolicySession]>([:])

    /// Prepares to serve; nil when there are no descriptors left.
    init?(_ services: Services) {
        guard let stop = StopSignal(), let watch = Watch() else { return nil }
        self.services = services
        self.stop = stop
        self.watch = watch
    }

    /// Asks to stop, from any thread: what is under way is finished.
    func requestStop() { stop.give() }

    /// Serves one client on standard input and output.
    func serveStandardIO() {
        var session = PolicySession(services, ClientStream(standardIO: stop), parks: false)
        _ = session.run()
    }

    /// Serves clients of a listening socket until asked to stop.
    func serve(_ listener: Int32) -> ExitCode {
        Self.raiseDescriptorLimit()
        guard watch.add(listener, once: false), watch.add(stop.descriptor, once: false) else {
            services.log.error("the sockets cannot be waited for: \(SystemError.last)")
            return .systemError
        }
        // A start touches much that is never used again.
        UnusedMemory.release()
        while let ready = nextReady(), ready != stop.descriptor {
            if ready == listener { accept(listener) } else { resume(ready) }
        }
        watch.remove(listener)
        watch.remove(stop.descriptor)
        // The next daemon, or nobody, gets those who come now.
        close(listener)
        // Those who have asked by now are answered; the others are idle.
        while let ready = watch.next(milliseconds: 0) { resume(ready) }
        for client in parked.withLock({ Array($0.keys) }) { unpark(client) }
        if !sessions.waitForNone(seconds: Self.drainSeconds) {
            services.log.warning("some questions are left unanswered")
        }
        return .ok
    }

    /// The next descriptor that is ready, however long it takes.
    private func nextReady() -> Int32? {
        if let ready = watch.next(milliseconds: Self.quietMilliseconds) { return ready }
        UnusedMemory.release()
        while true {
            if let ready = watch.next() { return ready }
            guard errno == EINTR else { return nil }
        }
    }

    private func accept(_ listener: Int32) {
        guard sessions.enter(limit: Self.mostSessions) else {
            usleep(50_000)
            return
        }
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else {
            sessions.leave()
            pause(after: errno)
            return
        }
        // A client on another host may vanish without a word.
        var one: Int32 = 1
        _ = unsafe setsockopt(
            client, SOL_SOCKET, SO_KEEPALIVE, &one, socklen_t(MemoryLayout<Int32>.size))
        start(
            PolicySession(services, ClientStream(socket: client, stop: stop), parks: true), client)
    }

    /// Gives a parked session a thread again.
    private func resume(_ client: Int32) {
        watch.remove(client)
        guard let session = parked.withLock({ $0.removeValue(forKey: client) }) else { return }
        start(session, client)
    }

    private func start(_ session: PolicySession, _ client: Int32) {
        let isStarted = startThread(stackSize: Self.stackSize) { [self] in
            var session = session
            switch session.run() {
            case .ended: end(client)
            case .idle: park(session, client)
            }
        }
        guard !isStarted else { return }
        services.log.error("there is no thread for a connection: it is closed")
        end(client)
    }

    private func park(_ session: PolicySession, _ client: Int32) {
        parked.withLock { $0[client] = session }
        if stop.isGiven || !watch.add(client, once: true) { unpark(client) }
    }

    /// Ends a parked session, unless another thread has taken it.
    private func unpark(_ client: Int32) {
        if parked.withLock({ $0.removeValue(forKey: client) }) != nil { end(client) }
    }

    private func end(_ client: Int32) {
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
