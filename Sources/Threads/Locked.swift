import Glibc

/// A value behind a lock.
///
/// Copies share both. POSIX's mutex rather than Synchronization's: ThreadSanitizer does not see the latter, and would
/// report races that there are not where all of a daemon's threads meet. Value and mutex are one
/// allocation, and the lock alone guards the value: the runtime's tests of exclusive access cost
/// more than locking.
public struct Locked<Value: Sendable>: @unchecked Sendable {
    private let storage: ManagedBuffer<Value, Mutex>

    /// The mutex, at the address that it keeps.
    @safe
    private struct Mutex {
        var posix = unsafe pthread_mutex_t()
    }

    private final class Storage: ManagedBuffer<Value, Mutex> {
        deinit {
            _ = unsafe withUnsafeMutablePointerToElements {
                unsafe pthread_mutex_destroy(&$0.pointee.posix)
            }
        }
    }

    /// Puts a value behind a lock of its own.
    public init(_ value: Value) {
        storage = Storage.create(minimumCapacity: 1) { _ in value }
        unsafe storage.withUnsafeMutablePointerToElements { mutex in
            unsafe mutex.initialize(to: Mutex())
            // A mutex with default attributes is always granted (pthread_mutex_init(3)).
            _ = unsafe pthread_mutex_init(&mutex.pointee.posix, nil)
        }
    }

    /// Runs `body` with exclusive access to the value; `body` must not take the same lock.
    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe storage.withUnsafeMutablePointers { value, mutex in
            _ = unsafe pthread_mutex_lock(&mutex.pointee.posix)
            defer { _ = unsafe pthread_mutex_unlock(&mutex.pointee.posix) }
            return unsafe body(&value.pointee)
        }
    }
}
