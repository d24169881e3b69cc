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

    /// Waits for at most that many seconds, by the wall clock; false if no signal came.
    func wait(seconds: Int32) -> Bool {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += Int(seconds)
        while unsafe sem_timedwait(handle, &deadline) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}

/// Ends the system call that a thread of ours waits in, with EINTR.
func interruptThread(_ thread: pthread_t) {
    // Nobody here expects urgent data, and by default the signal is ignored, which interrupts nothing.
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in }
    _ = unsafe sigaction(SIGURG, &action, nil)
    pthread_kill(thread, SIGURG)
}

/// Lets `interruptThread` reach the calling thread: whoever started the program may have blocked all signals.
func allowInterrupts() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGURG)
    _ = unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}

/// Starts a detached thread.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = unsafe Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread, nil,
        { argument in
            if let argument = unsafe argument {
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            }
            return nil
        }, box.toOpaque())
    guard result == 0 else {
        unsafe box.release()
        return false
    }
    pthread_detach(thread)
    return true
}
