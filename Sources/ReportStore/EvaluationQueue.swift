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
            if waiting.count == 1 { unsafe pthread_cond_broadcast(changed) }
        }
    }

    /// Waits for evaluations; nil once the queue is closed and empty.
    ///
    /// They stay in the queue until `remove`.
    func next(atMost count: Int) -> [Evaluation]? {
        locked {
            while waiting.isEmpty {
                if isClosed { return nil }
                unsafe pthread_cond_wait(changed, mutex)
            }
            return Array(waiting.prefix(count))
        }
    }

    /// Takes away what has been written.
    ///
    /// - Returns: how many evaluations were dropped since the last time.
    func remove(_ count: Int) -> Int {
        locked {
            waiting.removeFirst(min(count, waiting.count))
            defer { dropped = 0 }
            return dropped
        }
    }

    /// Waits for some seconds, or until the queue is closed.
    ///
    /// - Returns: whether it is closed.
    func pause(seconds: Int) -> Bool {
        locked {
            let deadline = Self.time(after: seconds)
            while !isClosed, wait(until: deadline) {}
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
