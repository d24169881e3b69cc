internal import Glibc

/// A counting semaphore of the C library.
@safe
final class Semaphore: Sendable {
    // sem_t may be used from any thread, and is freed only with the last reference.
    private nonisolated(unsafe) let handle: UnsafeMutablePointer<sem_t>

    init() {
        unsafe handle = .allocate(capacity: 1)
        unsafe handle.initialize(to: sem_t())
        unsafe sem_init(handle, 0, 0)
    }

    deinit {
        unsafe sem_destroy(handle)
        unsafe handle.deallocate()
    }

    func signal() {
        _ = unsafe sem_post(handle)
    }

    func wait() {
        // Only a signal handler interrupts it.
        while unsafe sem_wait(handle) != 0 {}
    }
}
