internal import FlightRecord

/// One message's use of a queue id: Postfix gives a short one to another message soon after its message
/// has left the queue (postconf(5), enable_long_queue_ids).
struct QueueLife: Hashable, Sendable {
    /// The queue id.
    let id: String
    /// From when to when entries and lines of the id are about this message; in microseconds since 1970.
    let span: ClosedRange<Int64>

    /// How far the times of records and log may lie apart, in microseconds: a log may have whole seconds.
    private static let slack: Int64 = 60_000_000
    /// How long after the last that is heard of it a message that the log does not know may be in the queue.
    private static let silence: Int64 = 600_000_000

    /// Within what the use of an id lies that a time belongs to, or a span.
    static func reach(of span: ClosedRange<Int64>) -> ClosedRange<Int64> {
        span.lowerBound - silence...span.upperBound + silence
    }

    /// The use of an id at a time, or the nearest one.
    ///
    /// - Parameters:
    ///   - id: the queue id.
    ///   - time: in microseconds since 1970.
    ///   - lines: the log's lines that begin with the id.
    init(_ id: String, at time: Int64, _ lines: [MailLogLine]) {
        self.id = id
        let lives = Self.spans(of: lines)
        func distance(_ span: ClosedRange<Int64>) -> Int64 {
            span.contains(time) ? 0 : min(abs(span.lowerBound - time), abs(span.upperBound - time))
        }
        let nearest = lives.indices.min { distance(lives[$0]) < distance(lives[$1]) }
        guard let nearest, distance(lives[nearest]) <= Self.silence else {
            span = time - Self.silence...time + Self.silence
            return
        }
        let life = lives[nearest]
        // Not into what another message says of the same id.
        let before = nearest > 0 ? lives[nearest - 1].upperBound : Int64.min
        let after = nearest + 1 < lives.count ? lives[nearest + 1].lowerBound : Int64.max
        let start = max(life.lowerBound - Self.slack, min(before &+ 1, life.lowerBound))
        let end = min(life.upperBound + Self.slack, max(after - 1, life.upperBound))
        span = start...max(start, end)
    }

    /// The spans of the messages that some lines of one id are about, in the order of time.
    private static func spans(of lines: [MailLogLine]) -> [ClosedRange<Int64>] {
        var spans: [ClosedRange<Int64>] = []
        var messageID: String?
        var isOver = true
        for line in lines.sorted(by: { $0.time < $1.time }) {
            let event = PostfixEvent(line)
            switch event {
            case .begin: isOver = isOver || messageID != nil
            case .messageID(let id):
                isOver = isOver || messageID.map { $0 != id } == true
                messageID = id
            default: break
            }
            if isOver || spans.isEmpty {
                spans.append(line.time...line.time)
                if case .messageID = event {} else { messageID = nil }
            } else if let last = spans.popLast() {
                spans.append(last.lowerBound...line.time)
            }
            isOver = event == .removed || event == .deletion
        }
        return spans
    }
}
