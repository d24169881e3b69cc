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

    private enum Phase {
        case serving
        case draining(since: MonotonicTime)
    }

    /// What all threads share, behind one lock.
    private struct State: Sendable {
        /// Connections that no thread has.
        var parked: [UInt64: Connection] = [:]
        /// Connections, those that a thread has and those being accepted included.
        var connections = 0
        var nextID = ConnectionServer.firstConnection
        /// Threads that wait for an event, or are about to.
        var waitingThreads = 0
        var threads = 0
        /// Threads that accept connections now.
        var accepting = 0
        /// Listening sockets that are not watched until there is room for a connection.
        var paused: Set<Int> = []
        var bufferedOctets = 0
        var phase = Phase.serving

        var isDraining: Bool {
            if case .draining = phase { true } else { false }
        }
    }

    /// What a thread may do after its event.
    private enum Next {
        case wait
        /// There are enough threads that wait.
        case leave
    }

    /// Threads that wait at the same time, at most: more would only be memory.
    private static let mostWaitingThreads = 4
    /// Octets of a thread's stack; what is not touched takes no memory.
    private static let stackSize = 4 << 20
    /// Octets that are read at a time.
    private static let readSize = 32 << 10
    /// Reads in a row before the connection goes back to the end of the queue.
    private static let mostReads = 16
    /// Connections that are accepted in a row.
    private static let mostAccepts = 16
    /// Seconds until accept(2) is tried again after a failure that would otherwise repeat at once.
    private static let acceptPause = 0.1
    /// Identifiers below it are those of listening sockets, and of the waking event.
    private static let firstConnection: UInt64 = 1 << 32

    private let listeners: [ListeningSocket]
    private let othersListen: Bool
    private let limits: ConnectionLimits
    private let makeHandler: @Sendable () -> (any ConnectionHandler)?
    private let poller: Poller
    private let problems: ProblemReport
    private let state = Monitor(State())

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
        guard addThread(reservingFirst: true) else { return false }
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

    // MARK: - Threads

    /// Starts a thread that has been counted already, unless it is the first.
    private func addThread(reservingFirst isFirst: Bool) -> Bool {
        if isFirst {
            state.withLock { state in
                state.threads += 1
                state.waitingThreads += 1
            }
        }
        if startThread(stackSize: Self.stackSize, { [self] in work() }) { return true }
        state.update { state in
            state.threads -= 1
            state.waitingThreads -= 1
        }
        problems.report(.threads, "no thread can be started: connections wait for one")
        return false
    }

    private func work() {
        var input = [UInt8](repeating: 0, count: Self.readSize)
        var output: [UInt8] = []
        while true {
            guard let id = poller.next() else { continue }
            let next: Next
            switch take(id) {
            case .wake: next = .leave
            case .listener(let index): next = accept(index)
            case .connection(let connection): next = serve(connection, &input, &output)
            case .nothing: next = state.withLock { Self.decideNext(&$0) }
            }
            if case .leave = next {
                state.update { $0.threads -= 1 }
                return
            }
        }
    }

    private enum Taken {
        case wake
        case listener(Int)
        case connection(Connection)
        case nothing
    }

    /// Takes what an event is about, and makes sure that another thread waits.
    private func take(_ id: UInt64) -> Taken {
        let (taken, needsThread, isAtLimit) = state.withLock { state -> (Taken, Bool, Bool) in
            state.waitingThreads -= 1
            if id == Poller.wake { return (.wake, false, false) }
            let taken: Taken
            if id >= Self.firstConnection {
                taken = state.parked.removeValue(forKey: id).map(Taken.connection) ?? .nothing
            } else if state.isDraining {
                taken = .nothing
            } else {
                state.accepting += 1
                taken = .listener(Int(id) - 1)
            }
            guard state.waitingThreads == 0 else { return (taken, false, false) }
            guard state.threads < limits.threads else { return (taken, false, true) }
            state.threads += 1
            state.waitingThreads += 1
            return (taken, true, false)
        }
        if needsThread { _ = addThread(reservingFirst: false) }
        if isAtLimit {
            problems.report(
                .threads, "all \(limits.threads) threads are busy: connections wait for one")
        }
        return taken
    }

    private static func decideNext(_ state: inout State) -> Next {
        guard state.waitingThreads < mostWaitingThreads else { return .leave }
        state.waitingThreads += 1
        return .wait
    }

    // MARK: - Connections

    /// Reads and answers until there is nothing to read.
    private func serve(
        _ connection: Connection, _ input: inout [UInt8], _ output: inout [UInt8]
    ) -> Next {
        if let expiry = connection.expiry { return expire(connection, expiry) }
        if case .room(let thenClose) = connection.wait {
            let unsent = connection.unsent
            let rest = unsent.span.extracting(droppingFirst: connection.taken)
            guard let sent = connection.write(rest) else { return end(connection) }
            connection.taken += sent
            guard connection.taken == unsent.count else { return park(connection) }
            connection.unsent = []
            connection.taken = 0
            if thenClose { return finish(connection) }
            connection.wait = .input
            connection.waitingSince = .now()
        }
        for _ in 0..<Self.mostReads {
            let count: Int
            switch connection.read(into: &input) {
            case .octets(let octets): count = octets
            case .nothing: return park(connection)
            case .closed: return end(connection)
            }
            output.removeAll(keepingCapacity: output.capacity <= Self.readSize)
            let step = connection.handler.receive(
                input.span.extracting(first: count), output: &output)
            let newState = connection.handler.state
            if step != .incomplete || newState != connection.state {
                connection.waitingSince = .now()
            }
            connection.state = newState
            guard let sent = connection.write(output.span) else { return end(connection) }
            if sent < output.count {
                connection.unsent = Array(output[sent...])
                connection.wait = .room(thenClose: step == .close)
                connection.waitingSince = .now()
                return park(connection)
            }
            if step == .close { return finish(connection) }
            // Less than there was room for: there is no more, as a rule.
            if count < input.count { return park(connection) }
        }
        return park(connection)
    }

    /// Gives a connection back to the table, and has it watched again.
    private func park(_ connection: Connection) -> Next {
        let octets = connection.unsent.count + max(connection.handler.bufferedOctets, 0)
        let next = state.withLock { state -> Next? in
            let growth = octets - connection.accounted
            guard growth <= 0 || state.bufferedOctets + growth <= limits.bufferedOctets else {
                return nil
            }
            connection.accounted = octets
            state.bufferedOctets += growth
            state.parked[connection.id] = connection
            if state.isDraining { Self.retire(connection) }
            return Self.decideNext(&state)
        }
        guard let next else {
            problems.report(
                .memory,
                "connections hold \(limits.bufferedOctets) octets, the limit: one is closed")
            return end(connection)
        }
        let interest: Poller.Interest = if case .room = connection.wait { .room } else { .input }
        // From here on the connection may be another thread's.
        if !poller.renew(connection.descriptor, id: connection.id, for: interest) {
            abandon(connection.id)
        }
        return next
    }

    /// Ends the waiting of an idle connection when a drain has begun: the thread that takes the
    /// event reads what was sent before, if anything, and then the end.
    ///
    /// To be called with the lock held, and with the connection in the table.
    private static func retire(_ connection: Connection) {
        guard case .input = connection.wait, connection.state == .idle, !connection.hasInput else {
            return
        }
        shutdown(connection.descriptor, Int32(SHUT_RD))
    }

    /// Ends a connection that exceeded a limit, as `keepLimits` found.
    private func expire(_ connection: Connection, _ expiry: Connection.Expiry) -> Next {
        guard case .late(let seconds) = expiry else { return end(connection) }
        if case .room = connection.wait {
            problems.report(
                .slowReader,
                "a client did not take its answer in \(Int(seconds)) s: its connection is closed")
            return end(connection)
        }
        guard connection.state == .busy else { return end(connection) }
        var output: [UInt8] = []
        connection.handler.timeLimitPassed(output: &output)
        _ = connection.write(output.span)
        return finish(connection)
    }

    /// Ends a connection whose output has been written.
    private func finish(_ connection: Connection) -> Next {
        connection.finishWriting()
        return end(connection)
    }

    /// Ends a connection that this thread has.
    private func end(_ connection: Connection) -> Next {
        connection.close()
        forget(connection)
        return state.withLock { Self.decideNext(&$0) }
    }

    /// Ends a connection that could not be watched, unless another thread has taken it.
    private func abandon(_ id: UInt64) {
        guard let connection = state.withLock({ $0.parked.removeValue(forKey: id) }) else { return }
        connection.close()
        forget(connection)
    }

    /// Takes a closed connection off the accounts, and accepts again where that waited for it.
    private func forget(_ connection: Connection) {
        state.update { state in
            state.connections -= 1
            state.bufferedOctets -= connection.accounted
            resumeListeners(&state)
        }
    }

    // MARK: - Listening sockets

    /// Accepts what waits on a listening socket.
    private func accept(_ index: Int) -> Next {
        var failure: Int32?
        var isFull = false
        accepting: for _ in 0..<Self.mostAccepts {
            guard let id = reserve(pausing: index) else {
                isFull = true
                break accepting
            }
            switch acceptOne(index, id: id) {
            case .accepted: continue
            case .none: break accepting
            case .failed(let code):
                failure = code
                break accepting
            }
        }
        if let failure {
            problems.report(
                .accepting, "no connection can be accepted, others wait: \(SystemText(failure))")
            state.update { _ = $0.paused.insert(index) }
        } else if isFull {
            problems.report(
                .connections, "there are \(limits.connections) connections, the limit: others wait")
        } else {
            _ = poller.renew(listeners[index].descriptor, id: UInt64(index) + 1, for: .input)
        }
        return state.update { state in
            state.accepting -= 1
            return Self.decideNext(&state)
        }
    }

    /// Counts a connection; nil at the limit, and the listening socket is then paused.
    private func reserve(pausing index: Int?) -> UInt64? {
        state.withLock { state in
            if let index, state.connections >= limits.connections {
                state.paused.insert(index)
                return nil
            }
            state.connections += 1
            state.nextID += 1
            return state.nextID
        }
    }

    private enum Acceptance {
        case accepted
        case none
        case failed(Int32)
    }

    /// Accepts a connection that has been counted.
    private func acceptOne(_ index: Int, id: UInt64) -> Acceptance {
        switch listeners[index].accept() {
        case .connection(let descriptor):
            guard let handler = makeHandler() else {
                close(descriptor)
                state.update { $0.connections -= 1 }
                return .accepted
            }
            let connection = Connection(id: id, descriptor: descriptor, handler: handler)
            // The first connection sets the clock going.
            let isFirst = state.withLock { state in
                state.parked[id] = connection
                return state.connections == 1
            }
            if isFirst { state.wakeAll() }
            if !poller.add(descriptor, id: id) { abandon(id) }
            return .accepted
        case .none:
            state.update { $0.connections -= 1 }
            return .none
        case .failed(let code):
            state.update { $0.connections -= 1 }
            return .failed(code)
        }
    }

    /// Watches paused listening sockets again, where there is room for a connection.
    ///
    /// Under the lock, so that none of them is closed meanwhile.
    private func resumeListeners(_ state: inout State) {
        guard !state.paused.isEmpty, !state.isDraining, state.connections < limits.connections
        else { return }
        for index in state.paused {
            _ = poller.renew(listeners[index].descriptor, id: UInt64(index) + 1, for: .input)
        }
        state.paused = []
    }

    // MARK: - Time

    /// Keeps the time limits until a drain is asked for.
    private func keepTime() {
        let interval = limits.checkInterval
        while true {
            // Without a connection there is nothing to look after.
            let isDraining = state.wait(until: .distantFuture) { state -> Bool? in
                if state.isDraining { return true }
                return state.connections > 0 || !state.paused.isEmpty ? false : nil
            }
            if isDraining == true { return }
            let isPaused = state.withLock { !$0.paused.isEmpty }
            let pause = isPaused ? min(interval, Self.acceptPause) : interval
            if state.wait(until: .now() + pause, for: { $0.isDraining ? true : nil }) == true {
                return
            }
            keepLimits(at: .now())
            state.withLock { resumeListeners(&$0) }
        }
    }

    /// Ends the waiting of connections that exceed their time limits: the threads that take the
    /// events then end them.
    private func keepLimits(at now: MonotonicTime) {
        state.withLock { state in
            let drainStart: MonotonicTime? =
                if case .draining(let start) = state.phase { start } else { nil }
            for connection in state.parked.values where connection.expiry == nil {
                let limit = limits.seconds(for: connection, isDraining: drainStart != nil)
                let start = max(connection.waitingSince, drainStart ?? connection.waitingSince)
                guard start + limit <= now else { continue }
                if case .room = connection.wait {
                    connection.expiry = .late(limit)
                    shutdown(connection.descriptor, Int32(SHUT_RDWR))
                } else if !connection.hasInput {
                    connection.expiry = .late(limit)
                    shutdown(connection.descriptor, Int32(SHUT_RD))
                }
            }
        }
    }

    // MARK: - Drain

    /// Accepts what has connected by now, unless others see to it, and closes the listening sockets.
    private func closeListeners() {
        _ = state.wait(until: .distantFuture) { $0.accepting == 0 ? true : nil }
        for (index, listener) in listeners.enumerated() {
            poller.remove(listener.descriptor)
            if !othersListen {
                listener.refuseFurther()
                while let id = reserve(pausing: nil) {
                    guard case .accepted = acceptOne(index, id: id) else { break }
                }
            }
            listener.close()
        }
    }

    /// Waits for the last connection, for as long as a drain may take.
    ///
    /// - Returns: whether every connection came to its own end.
    private func finishConnections() -> Bool {
        let start = state.withLock { state in
            for connection in state.parked.values { Self.retire(connection) }
            return if case .draining(let since) = state.phase { since } else { MonotonicTime.now() }
        }
        let end = start + limits.drainSeconds
        let interval = limits.drainCheckInterval
        while true {
            let now = MonotonicTime.now()
            guard now < end else { break }
            let isDone = state.wait(until: min(end, now + interval)) {
                $0.connections == 0 ? true : nil
            }
            if isDone == true { return true }
            keepLimits(at: .now())
        }
        return state.withLock { $0.connections == 0 } || cutConnections()
    }

    /// Ends what is still under way when the drain's time is over.
    private func cutConnections() -> Bool {
        let count = state.withLock { state in
            for connection in state.parked.values {
                connection.expiry = .drain
                shutdown(connection.descriptor, Int32(SHUT_RDWR))
            }
            return state.connections
        }
        problems.report(
            .drain,
            "\(count) connections are cut off: \(Int(limits.drainSeconds)) s to finish are over")
        // Those that wait end now; those that a handler holds do not.
        _ = state.wait(until: .now() + 1) { $0.connections == 0 ? true : nil }
        return false
    }
}
