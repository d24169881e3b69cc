internal import Glibc

/// The evaluations that wait for their writer: of bounded number, behind a lock.
///
/// POSIX's mutex and condition: the one who waits is a thread of its own.
@safe
final class EvaluationQueue: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private let capacity: Int
    private var waiting: [Evaluation] = []
    private var dropped = 0
    /// The number of waiting evaluations at which the writer wants to be woken.
    private var wanted = 0
    private var isClosed = false
    private var isDone = false

    /// An empty queue.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
        unsafe mutex = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Adds an evaluation, or counts it as dropped where there is no room; never waits for the writer.
    func add(_ evaluation: Evaluation) {
        locked {
            guard waiting.count < capacity, !isClosed else {
                dropped += 1
                return
            }
            waiting.append(evaluation)
            // The first wakes the writer, which then gathers more until there are enough.
            if waiting.count == 1 || waiting.count == wanted {
                unsafe pthread_cond_broadcast(changed)
            }
        }
    }

    /// Waits for evaluations, and, when there is one, a second for more: a transaction for each would cost much more.
    ///
    /// They stay in the queue until `remove`.
    ///
    /// - Parameters:
    ///   - count: how many are enough.
    ///   - patience: how many seconds to wait for the first; without a wait there is no gathering either.
    /// - Returns: the evaluations, none where the time is over; nil once the queue is closed and empty.
    func next(atMost count: Int, patience: Int) -> [Evaluation]? {
        locked {
            if patience > 0 {
                wait(seconds: patience) { waiting.isEmpty }
                wanted = count
                if !waiting.isEmpty { wait(seconds: 1) { waiting.count < count } }
                wanted = 0
            }
            return waiting.isEmpty && isClosed ? nil : Array(waiting.prefix(count))
        }
    }

    /// Takes away what has been written.
    ///
    /// - Returns: how many evaluations were dropped since the last time.
    func remove(_ count: Int) -> Int {
        locked {
            // A burst leaves no room behind that is kept for the next.
            if waiting.count <= count { waiting = [] } else { waiting.removeFirst(count) }
            defer { dropped = 0 }
            return dropped
        }
    }

    /// Waits for some seconds, or until the queue is closed.
    ///
    /// - Returns: whether it is closed.
    func pause(seconds: Int) -> Bool {
        locked {
            wait(seconds: seconds) { true }
            return isClosed
        }
    }

    /// Takes no more, and waits for the writer to end; for some seconds at most.
    func close(waitingAtMost seconds: Int) {
        locked {
            isClosed = true
            unsafe pthread_cond_broadcast(changed)
            let deadline = Self.time(after: seconds)
            while !isDone, wait(until: deadline) {}
        }
    }

    /// Tells that the writer has ended.
    func finish() {
        locked {
            isDone = true
            unsafe pthread_cond_broadcast(changed)
        }
    }

    /// Waits while something holds, but no longer than some seconds, nor once the queue is closed.
    private func wait(seconds: Int, while holds: () -> Bool) {
        let deadline = Self.time(after: seconds)
        while !isClosed, holds(), wait(until: deadline) {}
    }

    /// Whether the condition changed before the time.
    private func wait(until deadline: timespec) -> Bool {
        var deadline = deadline
        return unsafe pthread_cond_timedwait(changed, mutex, &deadline) == 0
    }

    private static func time(after seconds: Int) -> timespec {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        time.tv_sec += seconds
        return time
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }
}
