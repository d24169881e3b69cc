import Threads

extension ConnectionServer {
    /// Octets of a thread's stack; what is not touched takes no memory.
    private static let stackSize = 4 << 20
    /// Octets that are read at a time.
    static let readSize = 32 << 10

    /// Starts a thread that has been counted already.
    func startCountedThread() -> Bool {
        if startThread(stackSize: Self.stackSize, { [self] in work() }) { return true }
        state.update { $0.threadFailed() }
        problems.report(.threads, "no thread can be started: connections wait for one")
        return false
    }

    /// Serves one event after the other, until there are enough threads without this one.
    private func work() {
        var input = [UInt8](repeating: 0, count: Self.readSize)
        var output: [UInt8] = []
        while true {
            guard let id = poller.next() else { continue }
            let next: ServerState.NextStep
            switch take(id) {
            case .end: next = .leave
            case .listener(let index): next = accept(index)
            case .connection(let connection): next = serve(connection, &input, &output)
            case .nothing: next = state.withLock { $0.nextStep() }
            }
            if case .leave = next {
                change { $0.threadEnds() }
                return
            }
        }
    }

    /// Takes what an event is about, and makes sure that another thread waits.
    private func take(_ id: UInt64) -> ServerState.Subject {
        let (subject, successor) = state.withLock { $0.take(id, mostThreads: limits.threads) }
        switch successor {
        case .waits: break
        case .isMissing: _ = startCountedThread()
        case .isNotAllowed:
            problems.report(
                .threads, "all \(limits.threads) threads are busy: connections wait for one")
        }
        return subject
    }
}
