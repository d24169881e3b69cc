internal import Foundation

/// A thread for blocking work, so that none of the test runner's few threads is held up.
public enum BackgroundThread {
    /// Runs `work` on a thread of its own.
    public static func start(_ work: @escaping @Sendable () -> Void) {
        Thread(block: work).start()
    }
}
