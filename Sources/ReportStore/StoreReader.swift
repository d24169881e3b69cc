/// What the store has, through a connection that only reads.
final class StoreReader {
    private let database: Database
    private let policies: Statement
    private let counts: Statement
    private let verdict: Statement
    private let results: Statement
    private let others: Statement
    private var knownResults: [Int64: [Evaluation.Authentication]] = [:]
    private var knownVerdicts: [Int64: Verdict] = [:]

    /// How many lists of results, and how many verdicts, are remembered.
    private static let memory = 2048

    /// Opens a store of the version that is written here.
    init(path: String) throws(SinkError) {
        database = try Database(path: path, .read)
        try ReportSchema.requireCurrent(database, path: path)
        policies = try database.prepared(
            """
            SELECT policy.id, name.value, p, sp, np, adkim, aspf, testing, discovery_method, fo,
                rua, ruf
            FROM policy JOIN name ON name.id = policy.domain
            WHERE policy.id IN (SELECT DISTINCT policy FROM message_count WHERE day = ?)
            ORDER BY name.value, policy.id
            """)
        counts = try database.prepared(
            """
            SELECT source, messages, verdict FROM message_count WHERE day = ? AND policy = ?
            ORDER BY source, verdict
            """)
        verdict = try database.prepared(
            """
            SELECT author.value, envelope.value, recipient.value, policy_applied, result,
                disposition, dkim_aligned, spf_aligned, arc, results, reason_list.value
            FROM verdict JOIN name AS author ON author.id = header_from
            LEFT JOIN name AS envelope ON envelope.id = envelope_from
            LEFT JOIN name AS recipient ON recipient.id = envelope_to
            LEFT JOIN reason_list ON reason_list.id = reasons
            WHERE verdict.id = ?
            """)
        results = try database.prepared(
            """
            SELECT mechanism, domain.value, selector.value, scope, result FROM result
            JOIN name AS domain ON domain.id = result.domain
            LEFT JOIN name AS selector ON selector.id = result.selector
            WHERE list = ? ORDER BY position
            """)
        others = try database.prepared("SELECT messages FROM other WHERE day = ?")
    }

    func policies(on day: Int64) throws(SinkError) -> [PublishedPolicy] {
        var found: [PublishedPolicy] = []
        try database.rows(policies, { $0.add(day) }) { row in
            found.append(
                PublishedPolicy(
                    id: row.integer(0),
                    policy: Evaluation.Policy(
                        domain: row.text(1), applied: "", p: row.text(2), sp: Self.text(row, 3),
                        np: Self.text(row, 4), adkim: row.text(5), aspf: row.text(6),
                        isTesting: row.integer(7) != 0, discovery: row.text(8),
                        reportAddresses: Self.items(row, 10), failureOptions: Self.text(row, 9),
                        failureAddresses: Self.items(row, 11))))
        }
        return found
    }

    func counts(
        under policy: Int64, on day: Int64,
        _ each: (EvaluationCount) throws(SinkError) -> Void
    ) throws(SinkError) {
        try database.rows(
            counts,
            { values in
                values.add(day)
                values.add(policy)
            },
            { row throws(SinkError) in
                let number = row.integer(2)
                // A damaged store may have lost one.
                guard let verdict = try self.verdict(number) else { return }
                try each(
                    EvaluationCount(
                        sourceAddress: Self.text(row, 0), verdict: verdict, verdictNumber: number,
                        messages: row.integer(1)))
            })
    }

    private func verdict(_ number: Int64) throws(SinkError) -> Verdict? {
        if let known = knownVerdicts[number] { return known }
        var found: Verdict?
        try database.rows(
            verdict, { $0.add(number) },
            { row throws(SinkError) in
                found = Verdict(
                    headerFrom: row.text(0), envelopeFrom: Self.text(row, 1),
                    envelopeTo: Self.text(row, 2), applied: row.text(3), result: row.text(4),
                    disposition: row.text(5), isDKIMAligned: row.integer(6) != 0,
                    isSPFAligned: row.integer(7) != 0, arc: row.text(8),
                    authentications: try self.results(of: row.integer(9)),
                    overrides: Self.overrides(row.text(10)))
            })
        if knownVerdicts.count >= Self.memory { knownVerdicts = [:] }
        knownVerdicts[number] = found
        return found
    }

    func others(on day: Int64) throws(SinkError) -> Int64 {
        var count: Int64 = 0
        try database.rows(others, { $0.add(day) }) { count = $0.integer(0) }
        return count
    }

    private func results(of list: Int64) throws(SinkError) -> [Evaluation.Authentication] {
        if let known = knownResults[list] { return known }
        var found: [Evaluation.Authentication] = []
        try database.rows(results, { $0.add(list) }) { row in
            found.append(
                Evaluation.Authentication(
                    mechanism: row.text(0), domain: row.text(1), selector: Self.text(row, 2),
                    scope: Self.text(row, 3), result: row.text(4)))
        }
        if knownResults.count >= Self.memory { knownResults = [:] }
        knownResults[list] = found
        return found
    }

    /// The reasons of a list: a line with the type and the comment for each.
    private static func overrides(_ list: String) -> [Evaluation.Override] {
        list.split(separator: "\n").map { line in
            let parts = line.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
            return Evaluation.Override(
                kind: String(parts[0]), comment: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    private static func items(_ row: Statement, _ column: Int32) -> [String] {
        row.text(column).split(separator: " ").map(String.init)
    }

    private static func text(_ row: Statement, _ column: Int32) -> String? {
        let text = row.text(column)
        return text.isEmpty ? nil : text
    }
}
