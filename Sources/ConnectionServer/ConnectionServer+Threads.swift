import Threads

extension ConnectionServer {
    /// Octets of a thread's stack; what is not touched takes no memory.
    private static let stackSize = 4 << 20
    /// How long a thread waits that is there beyond those that always wait, in milliseconds.
    private static let briefly: Int32 = 2_000
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
        var next = ServerState.NextStep.wait
        while true {
            let wait: Int32?
            switch next {
            case .wait: wait = nil
            case .waitBriefly: wait = Self.briefly
            case .leave:
                change { $0.threadEnds() }
                return
            }
            switch poller.next(within: wait) {
            case .event(let id): next = handle(id, &input, &output)
            case .nothingCame: next = state.withLock { $0.nothingCame() }
            case .interrupted: break
            }
        }
    }

    /// Does what an event asks for.
    private func handle(
        _ id: UInt64, _ input: inout [UInt8], _ output: inout [UInt8]
    ) -> ServerState.NextStep {
        switch take(id) {
        case .end: .leave
        case .listener(let index): accept(index)
        case .connection(let connection): serve(connection, &input, &output)
        case .nothing: state.withLock { $0.nextStep() }
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
