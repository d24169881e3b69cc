internal import Glibc

/// The report store: a SQLite database of evaluations.
///
/// Opened when there is something to write, and anew after each failure: a file that was moved away, a disk that was full. What is
/// older than its retention is deleted bit by bit; the room is used again, so that the file stops growing.
public final class ReportStore: EvaluationSink {
    private let path: String
    private let retention: Int64?
    private let now: () -> Int64
    private var database: Database?
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
        if database == nil {
            let opened = try Database(path: path)
            try ReportSchema.prepare(opened)
            database = consume opened
        }
        do {
            try insert(evaluations)
        } catch {
            database = nil
            throw error
        }
    }

    /// Deletes some of what is older than the retention, if the store is open and an hour has passed.
    public func tidy() throws(SinkError) -> Bool {
        let now = now()
        guard let retention, now >= nextTidying, database != nil else { return false }
        do {
            try database?.run(
                """
                DELETE FROM message WHERE id IN
                    (SELECT id FROM message WHERE received < ? ORDER BY received LIMIT ?)
                """, [.integer(now - retention), .integer(Int64(Self.batch))])
        } catch {
            database = nil
            throw error
        }
        let isMore = (database?.changes ?? 0) == Self.batch
        if !isMore { nextTidying = now + Self.period }
        return isMore
    }

    private func insert(_ evaluations: [Evaluation]) throws(SinkError) {
        try database?.run("BEGIN IMMEDIATE")
        for evaluation in evaluations { try insert(evaluation) }
        try database?.run("COMMIT")
    }

    private func insert(_ evaluation: Evaluation) throws(SinkError) {
        let policy = evaluation.policy
        try database?.run(
            """
            INSERT INTO message (received, reporter, queue_id, source_address, helo, envelope_from,
                header_from, policy_domain, policy_applied, p, sp, np, adkim, aspf, testing,
                discovery_method, rua, result, disposition, dkim_aligned, spf_aligned, arc)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(evaluation.received), .text(evaluation.reporter),
                .text(evaluation.queueID), .text(evaluation.sourceAddress),
                .text(evaluation.helo), .text(evaluation.envelopeFrom),
                .text(evaluation.headerFrom), .text(policy?.domain), .text(policy?.applied),
                .text(policy?.p), .text(policy?.sp), .text(policy?.np), .text(policy?.adkim),
                .text(policy?.aspf), policy.map { .flag($0.isTesting) } ?? .text(nil),
                .text(policy?.discovery),
                .text(policy?.reportAddresses.joined(separator: " ")),
                .text(evaluation.result), .text(evaluation.disposition),
                .flag(evaluation.isDKIMAligned), .flag(evaluation.isSPFAligned),
                .text(evaluation.arc),
            ])
        guard let row = database?.lastRow else { return }
        for (position, found) in evaluation.authentications.enumerated() {
            try database?.run(
                "INSERT INTO authentication VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    .integer(row), .integer(Int64(position)), .text(found.mechanism),
                    .text(found.domain),
                    .text(found.selector), .text(found.scope), .text(found.result),
                ])
        }
        for (position, reason) in evaluation.overrides.enumerated() {
            try database?.run(
                "INSERT INTO override VALUES (?, ?, ?, ?)",
                [
                    .integer(row), .integer(Int64(position)), .text(reason.kind),
                    .text(reason.comment),
                ])
        }
    }
}
