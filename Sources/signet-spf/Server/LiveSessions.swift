import Glibc
import Threads

/// How many sessions there are, so that the daemon can wait for the last one.
final class LiveSessions: Sendable {
    private let count = Locked(0)

    /// Counts one more, unless there are `limit` already.
    func enter(limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    /// Counts one less.
    func leave() { count.withLock { $0 -= 1 } }

    /// Waits until there are none, or the seconds have passed; whether there are none.
    ///
    /// It looks every hundredth of a second: only an ending daemon waits.
    func waitForNone(seconds: Int) -> Bool {
        for _ in 0..<(seconds * 100) {
            if count.withLock({ $0 }) == 0 { return true }
            usleep(10_000)
        }
        return count.withLock { $0 } == 0
    }
}
