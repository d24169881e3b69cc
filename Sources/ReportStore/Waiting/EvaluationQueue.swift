import Threads

/// The evaluations that wait for their writer, of bounded number.
final class EvaluationQueue: Sendable {
    private struct State: Sendable {
        var waiting: [Evaluation] = []
        var dropped = 0
        var tally = EvaluationTally()
        /// The number of waiting evaluations at which the writer is woken.
        var wanted = 0
        var isClosed = false
        var isDone = false
    }

    private let capacity: Int
    private let state = Monitor(State())

    /// An empty queue.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Adds an evaluation, or counts it as dropped where there is no room; never waits for the
    /// writer.
    func add(_ evaluation: Evaluation) {
        let isWanted = state.withLock { state in
            guard state.waiting.count < capacity, !state.isClosed else {
                state.dropped += 1
                state.tally.dropped += 1
                return false
            }
            state.waiting.append(evaluation)
            // The first wakes the writer, which then gathers more until there are enough.
            return state.waiting.count == 1 || state.waiting.count == state.wanted
        }
        if isWanted { state.wakeAll() }
    }

    /// Waits for evaluations, and, when there is one, a second for more: a transaction for each
    /// would cost much more.
    ///
    /// They stay in the queue until `remove`.
    ///
    /// - Parameters:
    ///   - count: how many are enough.
    ///   - timeout: how many seconds to wait for the first; without a wait there is no gathering
    ///     either.
    /// - Returns: the evaluations, none where the time is over; nil once the queue is closed and
    ///   empty.
    func next(atMost count: Int, timeout: Int) -> [Evaluation]? {
        if timeout > 0 {
            wait(seconds: timeout) { !$0.waiting.isEmpty }
            let isEmpty = state.withLock { state in
                state.wanted = count
                return state.waiting.isEmpty
            }
            if !isEmpty { wait(seconds: 1) { $0.waiting.count >= count } }
        }
        return state.withLock { state in
            state.wanted = 0
            return state.waiting.isEmpty && state.isClosed
                ? nil : Array(state.waiting.prefix(count))
        }
    }

    /// What became of evaluations so far.
    var tally: EvaluationTally {
        state.withLock { state in
            var tally = state.tally
            tally.waiting = state.waiting.count
            return tally
        }
    }

    /// Takes away what has been written.
    ///
    /// - Returns: how many evaluations were dropped since the last time.
    func remove(_ count: Int) -> Int {
        state.withLock { state in
            state.tally.taken += min(count, state.waiting.count)
            // A burst leaves no room behind that is kept for the next.
            if state.waiting.count <= count {
                state.waiting = []
            } else {
                state.waiting.removeFirst(count)
            }
            defer { state.dropped = 0 }
            return state.dropped
        }
    }

    /// Waits for some seconds, or until the queue is closed.
    ///
    /// - Returns: whether it is closed.
    func pause(seconds: Int) -> Bool {
        wait(seconds: seconds) { _ in false }
        return state.withLock { $0.isClosed }
    }

    /// Takes no more, and waits for the writer to end; for some seconds at most.
    func close(waitingAtMost seconds: Int) {
        state.update { $0.isClosed = true }
        _ = state.wait(until: .now() + Double(seconds)) { $0.isDone ? true : nil }
    }

    /// Records that the writer has ended.
    func finish() {
        state.update { $0.isDone = true }
    }

    /// Waits until something holds, but no longer than some seconds, nor once the queue is closed.
    private func wait(seconds: Int, until holds: (State) -> Bool) {
        _ = state.wait(until: .now() + Double(seconds)) { state in
            state.isClosed || holds(state) ? true : nil
        }
    }
}
