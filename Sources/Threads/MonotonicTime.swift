import Glibc

/// A moment on the monotonic clock, which no one sets back: what deadlines are made of.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start, the machine's boot as a rule.
    public let nanoseconds: UInt64

    /// Creates a moment from its distance to the clock's start, in nanoseconds.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment that never comes, for questions that may take as long as the resolver likes.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// The present moment.
    public static func now() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(
            nanoseconds: UInt64(clamping: time.tv_sec) &* 1_000_000_000
                &+ UInt64(clamping: time.tv_nsec))
    }

    /// The moment so many seconds later; a negative count or NaN moves nothing.
    public static func + (time: MonotonicTime, seconds: Double) -> MonotonicTime {
        guard seconds > 0 else { return time }
        // 2^62 nanoseconds are 146 years.
        let span = UInt64(min(seconds * 1e9, 0x1p62))
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span)
        return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
    }

    /// The seconds from an earlier moment to this one; zero when it is not earlier.
    public func seconds(since earlier: MonotonicTime) -> Double {
        nanoseconds > earlier.nanoseconds
            ? Double(nanoseconds &- earlier.nanoseconds) / 1e9 : 0
    }

    /// Orders moments by time.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
