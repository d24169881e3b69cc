/// One message's use of a queue id: Postfix gives a short one to another message soon after its message
/// has left the queue (postconf(5), enable_long_queue_ids).
struct QueueLife: Hashable, Sendable {
    /// The queue id.
    let id: String
    /// From when to when entries and lines of the id are about this message; in microseconds since 1970.
    let span: ClosedRange<Int64>
    /// Whether the log has lines of it.
    let isLogged: Bool

    /// How far the times of records and log may lie apart, in microseconds: a log may have whole seconds.
    static let slack: Int64 = 60_000_000
    /// How long after the last that is heard of it a message that the log does not know may be in the queue.
    private static let silence: Int64 = 600_000_000

    /// Within what the use of an id lies that a time belongs to, or a span.
    static func reach(of span: ClosedRange<Int64>) -> ClosedRange<Int64> {
        span.lowerBound - silence...span.upperBound + silence
    }

    /// What is about a message of which nothing but a time is known.
    init(_ id: String, unknownAt time: Int64) {
        self.init(id, Self.reach(of: time...time), isLogged: false)
    }

    init(_ id: String, _ span: ClosedRange<Int64>, isLogged: Bool) {
        (self.id, self.span, self.isLogged) = (id, span, isLogged)
    }
}
