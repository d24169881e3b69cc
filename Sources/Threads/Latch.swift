/// A gate that opens once, and at which threads wait until then or until a deadline.
public final class Latch: Sendable {
    private let isOpen = Monitor(false)

    /// A closed gate.
    public init() {}

    /// Opens the gate and lets every waiting thread go.
    public func open() {
        isOpen.update { $0 = true }
    }

    /// Waits until the gate is open or the deadline has passed.
    ///
    /// - Returns: whether the gate is open.
    @discardableResult
    public func wait(until deadline: MonotonicTime) -> Bool {
        isOpen.wait(until: deadline) { $0 ? true : nil } ?? false
    }
}
