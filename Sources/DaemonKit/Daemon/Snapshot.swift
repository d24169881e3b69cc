internal import Threads

/// The configuration that now holds; a reload replaces it as a whole.
///
/// A session takes the value once, when its connection begins, and keeps to it: it never sees half of a new configuration.
/// Reading costs an uncontended lock and a retain.
public final class Snapshot<Value: Sendable>: Sendable {
    private let state: Locked<Value>

    /// Begins with a value.
    public init(_ value: Value) {
        state = Locked(value)
    }

    /// The value that now holds.
    public var current: Value {
        state.withLock { $0 }
    }

    /// Puts another value in its place; those who hold the old one keep it.
    public func replace(with value: Value) {
        // The old value is let go outside the lock: releasing keys and tables may take a while.
        _ = state.withLock { current in
            let old = current
            current = value
            return old
        }
    }
}
