internal import Glibc

/// A gate that opens once, and at which threads wait until then or until a deadline.
///
/// It rests on POSIX alone: a pthread condition bound to the monotonic clock, so that a step of the
/// wall clock neither shortens nor lengthens a wait.
@safe
final class Latch: Sendable {
    @unsafe
    private struct Storage {
        var mutex = unsafe pthread_mutex_t()
        var condition = pthread_cond_t()
        var isOpen = false
    }

    /// Safe to share: `isOpen` is read and written only while `mutex` is held.
    nonisolated(unsafe) private let storage: UnsafeMutablePointer<Storage>

    init() {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: Storage())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(&storage.pointee.condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        unsafe pthread_mutex_init(&storage.pointee.mutex, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(&storage.pointee.condition)
        unsafe pthread_mutex_destroy(&storage.pointee.mutex)
        unsafe storage.deallocate()
    }

    /// Opens the gate and lets every waiting thread go.
    func open() {
        unsafe pthread_mutex_lock(&storage.pointee.mutex)
        unsafe storage.pointee.isOpen = true
        unsafe pthread_cond_broadcast(&storage.pointee.condition)
        unsafe pthread_mutex_unlock(&storage.pointee.mutex)
    }

    /// Waits until the gate is open or the deadline has passed.
    func wait(until deadline: MonotonicTime) {
        var time = timespec(
            tv_sec: Int(clamping: deadline.nanoseconds / 1_000_000_000),
            tv_nsec: Int(clamping: deadline.nanoseconds % 1_000_000_000))
        unsafe pthread_mutex_lock(&storage.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&storage.pointee.mutex) }
        while unsafe !storage.pointee.isOpen {
            // Any error ends the wait: the caller then looks at its own state.
            let status = unsafe pthread_cond_timedwait(
                &storage.pointee.condition, &storage.pointee.mutex, &time)
            guard status == 0 else { return }
        }
    }
}
