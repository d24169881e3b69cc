internal import Glibc

/// The report store: a SQLite database of evaluations.
///
/// Opened when there is something to write, and anew after each failure: a file that was moved away, a disk that was full. What is
/// older than its retention is deleted bit by bit; the room is used again, so that the file stops growing.
public final class ReportStore: EvaluationSink {
    private let path: String
    private let retention: Int64?
    private let now: () -> Int64
    private var connection: StoreConnection?
    private var nextTidying: Int64 = 0

    /// How many messages are deleted at once: some milliseconds of work.
    private static let batch = 500
    /// How often to look for what is too old, in seconds.
    private static let period: Int64 = 3600

    /// The store at this path; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - days: how long evaluations are kept; nil for ever.
    ///   - now: the time in seconds since 1970; the system's, if not given.
    public init(
        path: String, keepingDays days: Int? = nil,
        now: (() -> Int64)? = nil
    ) {
        self.path = path
        self.now = now ?? { Int64(time(nil)) }
        retention = days.map { Int64($0) * 86_400 }
    }

    /// Writes all evaluations, oldest first.
    public func write(_ evaluations: [Evaluation]) throws(SinkError) {
        if connection == nil { connection = try StoreConnection(path: path) }
        do {
            try insert(evaluations)
        } catch {
            connection = nil
            throw error
        }
    }

    /// Deletes some of what is older than the retention, if the store is open and an hour has passed.
    public func tidy() throws(SinkError) -> Bool {
        let now = now()
        guard let retention, now >= nextTidying, connection != nil else { return false }
        do {
            try connection?.delete(before: now - retention, atMost: Self.batch)
        } catch {
            connection = nil
            throw error
        }
        let isMore = (connection?.database.changes ?? 0) == Self.batch
        if !isMore { nextTidying = now + Self.period }
        return isMore
    }

    private func insert(_ evaluations: [Evaluation]) throws(SinkError) {
        try connection?.database.run("BEGIN IMMEDIATE")
        for evaluation in evaluations { try connection?.insert(evaluation) }
        try connection?.database.run("COMMIT")
    }
}
