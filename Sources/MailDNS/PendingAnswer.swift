public import Threads

/// The answer to a question under way: a promise that is kept once, or given up at its deadline.
///
/// Any thread may call any method.
public final class PendingAnswer: Sendable {
    /// What is told the answer, on the thread that settles the promise.
    public typealias Observer = @Sendable (DNSAnswer) -> Void

    private enum State: Sendable {
        case open(Latch?, [Observer])
        case settled(DNSAnswer, timeToLive: Int?)
    }

    /// An answer at hand needs no lock: most answers come from a cache.
    private enum Promise: Sendable {
        case kept(DNSAnswer, timeToLive: Int?)
        case open(Locked<State>)
    }

    /// When the question is given up.
    public let deadline: MonotonicTime
    private let promise: Promise
    private let onCancel: (@Sendable () -> Void)?

    /// Creates a promise.
    ///
    /// - Parameters:
    ///   - deadline: when a wait ends, at the latest.
    ///   - onCancel: called once if the promise is given up: cancelled, or past its deadline.
    public init(deadline: MonotonicTime, onCancel: (@Sendable () -> Void)? = nil) {
        self.deadline = deadline
        self.onCancel = onCancel
        promise = .open(Locked(.open(nil, [])))
    }

    private init(settled answer: DNSAnswer, timeToLive: Int?) {
        deadline = .distantFuture
        onCancel = nil
        promise = .kept(answer, timeToLive: timeToLive)
    }

    /// A promise that is kept already.
    ///
    /// - Parameters:
    ///   - answer: the answer.
    ///   - timeToLive: for how many seconds more it holds, where that is known.
    /// - Returns: the promise.
    public static func ready(_ answer: DNSAnswer, timeToLive: Int? = nil) -> PendingAnswer {
        PendingAnswer(settled: answer, timeToLive: timeToLive)
    }

    /// Settles the promise.
    ///
    /// The first answer wins; later ones are dropped.
    ///
    /// - Parameters:
    ///   - answer: the answer.
    ///   - timeToLive: for how many seconds it holds, where that is known.
    public func fulfil(_ answer: DNSAnswer, timeToLive: Int? = nil) {
        settle(answer, timeToLive)
    }

    /// For how many seconds the answer held when it came; nil where there is none yet, or nobody knows.
    public var timeToLive: Int? {
        switch promise {
        case .kept(_, let timeToLive): timeToLive
        case .open(let state):
            state.withLock { state in
                guard case .settled(_, let timeToLive) = state else { return nil }
                return timeToLive
            }
        }
    }

    /// Waits for the answer, and never beyond the deadline: the answer is then a `timeout` failure.
    ///
    /// - Parameter limit: when to give the question up, even if its own deadline is later.
    /// - Returns: the answer.
    public func wait(until limit: MonotonicTime = .distantFuture) -> DNSAnswer {
        let state: Locked<State>
        switch promise {
        case .kept(let answer, _): return answer
        case .open(let open): state = open
        }
        let (settled, latch) = state.withLock { state -> (DNSAnswer?, Latch?) in
            switch state {
            case .settled(let answer, _): return (answer, nil)
            case .open(let latch?, _): return (nil, latch)
            case .open(nil, let observers):
                let latch = Latch()
                state = .open(latch, observers)
                return (nil, latch)
            }
        }
        if let settled { return settled }
        latch?.wait(until: min(deadline, limit))
        return current ?? giveUp(.timeout)
    }

    /// The answer if there is one by now; never blocks.
    ///
    /// Past the deadline it is a `timeout` failure.
    public func poll() -> DNSAnswer? {
        if let current { return current }
        return MonotonicTime.now() < deadline ? nil : giveUp(.timeout)
    }

    /// Gives the question up: nobody wants the answer any more.
    public func cancel() {
        _ = giveUp(.resolver("the question was cancelled"))
    }

    /// Whether there is an answer by now, or it has been given up; never blocks.
    public var isSettled: Bool {
        switch promise {
        case .kept: true
        case .open(let state):
            state.withLock { if case .settled = $0 { true } else { false } }
        }
    }

    /// Has the answer told to an observer: at once if it is there, else when it comes.
    public func observe(_ observer: @escaping Observer) {
        let state: Locked<State>
        switch promise {
        case .kept(let answer, _): return observer(answer)
        case .open(let open): state = open
        }
        let settled = state.withLock { state -> DNSAnswer? in
            switch state {
            case .settled(let answer, _): return answer
            case .open(let latch, let observers):
                state = .open(latch, observers + [observer])
                return nil
            }
        }
        if let settled { observer(settled) }
    }

    /// The answer if it is there; a deadline that has passed changes nothing.
    package var settled: DNSAnswer? { current }

    private var current: DNSAnswer? {
        switch promise {
        case .kept(let answer, _): answer
        case .open(let state):
            state.withLock { state in
                guard case .settled(let answer, _) = state else { return nil }
                return answer
            }
        }
    }

    /// Settles with a failure unless an answer came first; returns the answer that holds.
    private func giveUp(_ failure: DNSFailure) -> DNSAnswer {
        if settle(.failure(failure), nil) { onCancel?() }
        return current ?? .failure(failure)
    }

    @discardableResult
    private func settle(_ answer: DNSAnswer, _ timeToLive: Int?) -> Bool {
        guard case .open(let state) = promise else { return false }
        let released = state.withLock { state -> (Latch?, [Observer])? in
            guard case .open(let latch, let observers) = state else { return nil }
            state = .settled(answer, timeToLive: timeToLive)
            return (latch, observers)
        }
        guard let (latch, observers) = released else { return false }
        latch?.open()
        for observer in observers { observer(answer) }
        return true
    }
}
