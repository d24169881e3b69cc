import Threads

extension ConnectionServer {
    /// Accepts what has connected by now, unless others see to it, and closes the listening sockets.
    func closeListeners() {
        _ = state.wait(until: .distantFuture) { $0.accepting == 0 ? true : nil }
        for (index, listener) in listeners.enumerated() {
            poller.remove(listener.descriptor)
            if !othersListen {
                listener.refuseFurther()
                acceptRest(index)
            }
            listener.close()
        }
    }

    /// Waits for the last connection, for as long as a drain may take.
    ///
    /// - Returns: whether every connection came to its own end.
    func finishConnections() -> Bool {
        let start = state.withLock { state in
            for connection in state.parked.values { connection.retire() }
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
                connection.cut()
            }
            return state.connections
        }
        problems.report(
            .drain,
            "\(count) connections are closed that did not finish within \(Int(limits.drainSeconds)) s"
        )
        // Those that wait end now; those that a handler holds do not.
        _ = state.wait(until: .now() + 1) { $0.connections == 0 ? true : nil }
        return false
    }
}
