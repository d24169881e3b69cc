import Glibc

/// A value behind a lock, and threads that wait for it to change.
///
/// The condition variable is bound to the monotonic clock (pthread_condattr_setclock(3)), so that a
/// step of the wall clock neither shortens nor lengthens a wait.
@safe
public final class Monitor<Value: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    /// Puts a value behind a lock of its own.
    public init(_ value: Value) {
        self.value = value
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe changed = .allocate(capacity: 1)
        unsafe changed.initialize(to: pthread_cond_t())
        // With these attributes none of the calls can fail.
        var attributes = pthread_condattr_t()
        _ = unsafe pthread_condattr_init(&attributes)
        _ = unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        _ = unsafe pthread_cond_init(changed, &attributes)
        _ = unsafe pthread_condattr_destroy(&attributes)
        _ = unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        _ = unsafe pthread_cond_destroy(changed)
        _ = unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the value; `body` must not take the same lock.
    ///
    /// Waiting threads do not notice what it changes before `wakeAll`.
    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        _ = unsafe pthread_mutex_lock(mutex)
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Runs `body` as `withLock` does, and has all waiting threads look at the value again.
    public func update<Result>(_ body: (inout Value) -> Result) -> Result {
        _ = unsafe pthread_mutex_lock(mutex)
        defer {
            _ = unsafe pthread_cond_broadcast(changed)
            _ = unsafe pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Has all waiting threads look at the value again.
    public func wakeAll() {
        _ = unsafe pthread_cond_broadcast(changed)
    }

    /// Waits until `body` gives a result, or the deadline has passed.
    ///
    /// - Parameters:
    ///   - deadline: when to give up.
    ///   - body: looks at the value, and may change it; it must not take the same lock. It is called
    ///     at least once, and again after every update.
    /// - Returns: what `body` gave; nil when the deadline passed first.
    public func wait<Result>(
        until deadline: MonotonicTime, for body: (inout Value) -> Result?
    ) -> Result? {
        var time = deadline.timespec
        _ = unsafe pthread_mutex_lock(mutex)
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            // ETIMEDOUT is the one failure that a valid deadline can meet.
            if unsafe pthread_cond_timedwait(changed, mutex, &time) != 0 { return body(&value) }
        }
    }
}

extension MonotonicTime {
    /// The moment in the form that POSIX's waits take.
    fileprivate var timespec: Glibc.timespec {
        Glibc.timespec(
            tv_sec: Int(clamping: nanoseconds / 1_000_000_000),
            tv_nsec: Int(clamping: nanoseconds % 1_000_000_000))
    }
}
