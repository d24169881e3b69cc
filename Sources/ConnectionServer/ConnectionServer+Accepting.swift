import Glibc
import Threads

extension ConnectionServer {
    /// Connections that are accepted in a row.
    private static let mostAccepts = 16

    private enum Acceptance {
        case accepted
        case none
        case failed(Int32)
    }

    /// Accepts what waits on a listening socket.
    func accept(_ index: Int) -> ServerState.NextStep {
        var failure: Int32?
        var isFull = false
        accepting: for _ in 0..<Self.mostAccepts {
            guard let id = reserve(orPause: index) else {
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
            // `keepTime` tries again.
            state.update { _ = $0.paused.insert(index) }
        } else if isFull {
            problems.report(
                .connections, "there are \(limits.connections) connections, the limit: others wait")
        } else {
            _ = poller.renew(listeners[index].descriptor, id: UInt64(index) + 1, for: .input)
        }
        return change { state in
            state.acceptingEnds()
            return state.nextStep()
        }
    }

    /// Accepts all that have connected to a socket that takes no others.
    func acceptRest(_ index: Int) {
        while let id = state.withLock({ $0.reserve(most: .max) }) {
            guard case .accepted = acceptOne(index, id: id) else { return }
        }
    }

    /// Counts a connection; nil at the limit, and the listening socket is then paused.
    private func reserve(orPause index: Int) -> UInt64? {
        state.withLock { state in
            if let id = state.reserve(most: limits.connections) { return id }
            state.paused.insert(index)
            return nil
        }
    }

    /// Accepts a connection that has been counted.
    private func acceptOne(_ index: Int, id: UInt64) -> Acceptance {
        switch listeners[index].accept() {
        case .connection(let descriptor):
            guard let handler = makeHandler() else {
                close(descriptor)
                change { $0.release() }
                return .accepted
            }
            let connection = Connection(id: id, descriptor: descriptor, handler: handler)
            let isTimeKept = state.withLock { state in
                state.parked[id] = connection
                return state.isTimeKept
            }
            if !isTimeKept { state.wakeAll() }
            if !poller.add(descriptor, id: id) { abandon(id) }
            return .accepted
        case .none:
            change { $0.release() }
            return .none
        case .failed(let code):
            change { $0.release() }
            return .failed(code)
        }
    }

    /// Watches paused listening sockets again, where there is room for a connection.
    ///
    /// Under the lock, so that none of them is closed meanwhile.
    func resumeListeners(_ state: inout ServerState) {
        guard !state.paused.isEmpty, !state.isDraining, state.connections < limits.connections
        else { return }
        for index in state.paused {
            _ = poller.renew(listeners[index].descriptor, id: UInt64(index) + 1, for: .input)
        }
        state.paused = []
    }
}
