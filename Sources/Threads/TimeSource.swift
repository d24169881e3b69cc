import Glibc

/// The clocks, as a value: engines, and what may be run again later, read no clock of their own.
public struct TimeSource: Sendable {
    /// The present moment on the monotonic clock, for deadlines.
    public let now: @Sendable () -> MonotonicTime
    /// Seconds since 1970.
    public let seconds: @Sendable () -> Int64

    /// Creates a time source.
    ///
    /// - Parameters:
    ///   - now: gives the present moment.
    ///   - seconds: gives the seconds since 1970.
    public init(
        now: @escaping @Sendable () -> MonotonicTime, seconds: @escaping @Sendable () -> Int64
    ) {
        self.now = now
        self.seconds = seconds
    }

    /// The clocks of this machine.
    public static let system = TimeSource(now: { .now() }, seconds: { Int64(time(nil)) })
}
