import Threads

extension ConnectionServer {
    /// Seconds until accept(2) is tried again after a failure that would otherwise repeat at once.
    private static let acceptPause = 0.1

    /// Keeps the time limits until a drain is asked for.
    func keepTime() {
        let interval = limits.checkInterval
        while true {
            // Without a connection there is nothing to look after.
            let isDraining = state.wait(until: .distantFuture) { state -> Bool? in
                if state.isDraining { return true }
                state.isTimeKept = state.connections > 0 || !state.paused.isEmpty
                return state.isTimeKept ? false : nil
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
    func keepLimits(at now: MonotonicTime) {
        state.withLock { state in
            let drainStart: MonotonicTime? =
                if case .draining(let start) = state.phase { start } else { nil }
            for connection in state.parked.values where connection.expiry == nil {
                let limit = limits.seconds(for: connection, isDraining: drainStart != nil)
                let start = max(connection.waitingSince, drainStart ?? connection.waitingSince)
                guard start + limit <= now else { continue }
                if case .room = connection.wait {
                    connection.expiry = .late(limit)
                    connection.cut()
                } else if !connection.hasInput {
                    connection.expiry = .late(limit)
                    connection.endInput()
                }
            }
        }
    }
}
