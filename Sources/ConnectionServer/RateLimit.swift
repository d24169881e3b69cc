package import Threads

/// Lets what repeats through at most once in an interval, whichever threads it comes from: lines of
/// the log that a client could cause again and again.
package final class RateLimit: Sendable {
    private let seconds: Double
    private let last = Locked<MonotonicTime?>(nil)

    /// A limit of once in so many seconds; the first time is let through.
    package init(seconds: Double) {
        self.seconds = seconds
    }

    /// Whether it is let through now; the interval begins anew if it is.
    package func allows(at now: MonotonicTime = .now()) -> Bool {
        last.withLock { last in
            if let last, now < last + seconds { return false }
            last = now
            return true
        }
    }
}
