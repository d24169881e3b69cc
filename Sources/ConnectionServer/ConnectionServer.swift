import Glibc
import Threads

/// Serves connections on listening sockets: milters' and the policy service's.
///
/// All threads wait in one epoll(7). Whoever takes a connection first makes sure that another thread
/// still waits, and then serves it synchronously, so that a handler may block without holding up
/// anybody else. A connection that waits, for octets or for a peer that does not read, holds no
/// thread. A server has no global state: a process may have several.
package final class ConnectionServer: Sendable {
    /// The system gave no epoll(7), or no event descriptor.
    package struct SetupError: Error, Hashable, Sendable {
        /// The errno value.
        package let code: Int32

        init(_ code: Int32) { self.code = code }
    }

    let listeners: [ListeningSocket]
    let othersListen: Bool
    let limits: ConnectionLimits
    let makeHandler: @Sendable () -> (any ConnectionHandler)?
    let poller: Poller
    let problems: ProblemReport
    let state = Monitor(ServerState())

    /// Prepares to serve; nothing is accepted before `run`.
    ///
    /// - Parameters:
    ///   - listening: listening sockets, unix or TCP; the server closes them when it is drained.
    ///   - othersListen: whether another process holds the same sockets, as systemd does, and sees
    ///     to connections that are not accepted here: a drain then leaves them in the queue.
    ///   - limits: what connections may use.
    ///   - onProblem: takes a sentence for the log, from any thread; each kind at most once a minute.
    ///   - handler: makes the handler of a new connection; nil closes the connection.
    /// - Throws: what the system refused.
    package init(
        listening: [Int32], othersListen: Bool = false, limits: ConnectionLimits,
        onProblem: @escaping @Sendable (String) -> Void,
        handler: @escaping @Sendable () -> (any ConnectionHandler)?
    ) throws(SetupError) {
        listeners = listening.map(ListeningSocket.init)
        self.othersListen = othersListen
        self.limits = limits
        makeHandler = handler
        problems = ProblemReport(onProblem)
        poller = try Poller()
    }

    /// Connections now.
    package var connectionCount: Int { state.withLock { $0.connections } }

    /// Asks the server to finish what is under way and to end, from any thread; returns at once.
    package func drain() {
        state.update { state in
            if !state.isDraining { state.phase = .draining(since: .now()) }
        }
    }

    /// Serves until drained; to be called once.
    ///
    /// The calling thread keeps the time limits; connections are served by threads of the server.
    ///
    /// - Returns: whether every connection came to its own end; false when some were cut off
    ///   because the drain's time was over, or when the system gave no thread at all.
    @discardableResult
    package func run() -> Bool {
        state.withLock { $0.addThread() }
        guard startCountedThread() else { return false }
        for (index, listener) in listeners.enumerated()
        where !poller.add(listener.descriptor, id: UInt64(index) + 1) {
            problems.report(.accepting, "a socket cannot be waited on: \(SystemText(errno))")
        }
        keepTime()
        closeListeners()
        let isComplete = finishConnections()
        poller.wakeAll()
        // Threads that a handler still holds end with the process.
        if isComplete {
            _ = state.wait(until: .distantFuture) { $0.threads == 0 ? true : nil }
        }
        return isComplete
    }

    /// Changes the state, and wakes the thread that drains if there is one.
    ///
    /// Nobody else waits for what connections and threads do, and waking costs more than the change.
    func change<Result>(_ body: (inout ServerState) -> Result) -> Result {
        let (result, isDraining) = state.withLock { state in (body(&state), state.isDraining) }
        if isDraining { state.wakeAll() }
        return result
    }
}
