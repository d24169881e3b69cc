/// The messages of a store that version 1 has written: they are counted bit by bit, and go.
///
/// Each bit is one transaction, so that a kill at any moment leaves every message either uncounted and there, or counted and gone.
struct VersionOneMessages {
    private let messages: Statement
    private let authentications: Statement
    private let overrides: Statement

    /// How many messages are counted at once: some milliseconds of work.
    private static let batch: Int64 = 200

    /// Nil where there are none.
    init?(in database: borrowing Database) throws(SinkError) {
        let count = try database.first(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'message'")
        guard count == 1 else { return nil }
        messages = try database.prepared(
            """
            SELECT id, received, reporter, source_address, envelope_from, header_from,
                policy_domain, policy_applied, p, sp, np, adkim, aspf, testing, discovery_method,
                rua, result, disposition, dkim_aligned, spf_aligned, arc
            FROM message ORDER BY id LIMIT ?
            """)
        authentications = try database.prepared(
            """
            SELECT mechanism, domain, selector, scope, result FROM authentication
            WHERE message = ? ORDER BY position
            """)
        overrides = try database.prepared(
            "SELECT type, comment FROM override WHERE message = ? ORDER BY position")
    }

    /// Counts some messages, the oldest first, in a transaction of its own.
    ///
    /// - Parameters:
    ///   - database: the store.
    ///   - count: counts them.
    /// - Returns: whether there may be more.
    /// - Throws: what SQLite says.
    func move(
        in database: borrowing Database, _ count: ([Evaluation]) throws(SinkError) -> Void
    ) throws(SinkError) -> Bool {
        try database.run("BEGIN IMMEDIATE")
        let found = try evaluations(in: database)
        try count(found.map(\.1))
        if let last = found.last?.id {
            try database.run(
                """
                DELETE FROM authentication WHERE message <= \(last);
                DELETE FROM override WHERE message <= \(last);
                DELETE FROM message WHERE id <= \(last)
                """)
        } else {
            try database.run(
                "DROP TABLE authentication; DROP TABLE override; DROP TABLE message")
        }
        try database.run("COMMIT")
        return !found.isEmpty
    }

    private func evaluations(
        in database: borrowing Database
    ) throws(SinkError) -> [(id: Int64, Evaluation)] {
        var found: [(id: Int64, Evaluation)] = []
        try database.rows(messages, { $0.add(Self.batch) }) { row in
            found.append((row.integer(0), Self.evaluation(row)))
        }
        for index in found.indices {
            let id = found[index].id
            try database.rows(authentications, { $0.add(id) }) { row in
                found[index].1.authentications.append(
                    Evaluation.Authentication(
                        mechanism: row.text(0), domain: row.text(1), selector: Self.text(row, 2),
                        scope: Self.text(row, 3), result: row.text(4)))
            }
            try database.rows(overrides, { $0.add(id) }) { row in
                found[index].1.overrides.append(
                    Evaluation.Override(kind: row.text(0), comment: row.text(1)))
            }
        }
        return found
    }

    private static func evaluation(_ row: Statement) -> Evaluation {
        var evaluation = Evaluation(
            received: row.integer(1), reporter: row.text(2), headerFrom: row.text(5),
            result: row.text(16), disposition: row.text(17))
        evaluation.sourceAddress = text(row, 3)
        evaluation.envelopeFrom = text(row, 4)
        if let domain = text(row, 6) {
            evaluation.policy = Evaluation.Policy(
                domain: domain, applied: row.text(7), p: row.text(8), sp: text(row, 9),
                np: text(row, 10), adkim: row.text(11), aspf: row.text(12),
                isTesting: row.integer(13) != 0, discovery: row.text(14),
                reportAddresses: row.text(15).split(separator: " ").map(String.init))
        }
        evaluation.isDKIMAligned = row.integer(18) != 0
        evaluation.isSPFAligned = row.integer(19) != 0
        evaluation.arc = row.text(20)
        return evaluation
    }

    private static func text(_ row: Statement, _ column: Int32) -> String? {
        let text = row.text(column)
        return text.isEmpty ? nil : text
    }
}
