/// The report store: a SQLite database of evaluations.
///
/// Opened when there is something to write, and anew after each failure: a file that was moved away, a disk that was full.
public final class ReportStore: EvaluationSink {
    private let path: String
    private var database: Database?

    /// The store at this path; nothing is opened yet.
    public init(path: String) { self.path = path }

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
        for found in evaluation.authentications {
            try database?.run(
                "INSERT INTO authentication VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .integer(row), .text(found.mechanism), .text(found.domain),
                    .text(found.selector), .text(found.scope), .text(found.result),
                ])
        }
        for reason in evaluation.overrides {
            try database?.run(
                "INSERT INTO override VALUES (?, ?, ?)",
                [.integer(row), .text(reason.kind), .text(reason.comment)])
        }
    }
}
