/// The open report store, with the statements that every message takes.
///
/// Values that come often are remembered with their numbers, so that most messages take one statement.
final class StoreConnection {
    let database: Database
    private let names: InternedTable
    private let policies: InternedTable
    private let resultLists: InternedTable
    private let reasonLists: InternedTable
    private let verdicts: InternedTable
    private let result: Statement
    private let counting: Statement
    private let recounting: Statement
    private let remainder: Statement
    private var knownPolicies: [Evaluation.Policy: Use] = [:]
    private var knownVerdicts: [Verdict: Use] = [:]

    /// A number, and the last day on which the store has its value as used.
    private struct Use {
        let id: Int64
        let day: Int64
    }

    /// How many policies and how many verdicts are remembered: some megabytes of each.
    private static let memory = 2048
    private static let wordLimit = 32

    /// Opens the file, or makes it, and brings it to the version that is written here.
    init(path: String) throws(SinkError) {
        let database = try Database(path: path)
        try ReportSchema.prepare(database)
        names = try InternedTable(database, "name")
        policies = try InternedTable(
            database, "policy",
            [
                "domain", "p", "sp", "np", "adkim", "aspf", "testing", "discovery_method", "fo",
                "rua", "ruf",
            ])
        resultLists = try InternedTable(database, "result_list")
        reasonLists = try InternedTable(database, "reason_list")
        verdicts = try InternedTable(
            database, "verdict",
            [
                "header_from", "envelope_from", "envelope_to", "policy_applied", "result",
                "disposition", "dkim_aligned", "spf_aligned", "arc", "results", "reasons",
            ])
        result = try database.prepared("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?)")
        counting = try database.prepared(
            """
            INSERT INTO message_count VALUES (?, ?, ?, ?, 1)
            ON CONFLICT DO UPDATE SET messages = messages + 1
            """)
        recounting = try database.prepared(
            """
            UPDATE message_count SET messages = messages + 1
            WHERE day = ? AND policy = ? AND source = ? AND verdict = ?
            """)
        remainder = try database.prepared(
            """
            INSERT INTO other VALUES (?, 1) ON CONFLICT DO UPDATE SET messages = messages + 1
            """)
        self.database = database
    }

    /// Counts an evaluation.
    ///
    /// - Parameters:
    ///   - evaluation: what to count.
    ///   - mayGrow: whether there is room for what the store does not have yet.
    /// - Returns: whether it is counted by what it says; otherwise it is one of the others of its day.
    /// - Throws: what SQLite says.
    func count(_ evaluation: Evaluation, mayGrow: Bool) throws(SinkError) -> Bool {
        let day = max(0, evaluation.received) / 86_400
        let isKept = try count(evaluation, on: day, mayGrow: mayGrow)
        if !isKept { try database.run(remainder) { $0.add(day) } }
        return isKept
    }

    /// Forgets the numbers of values, some of which are about to go.
    func forget() {
        knownPolicies = [:]
        knownVerdicts = [:]
    }

    private func count(
        _ evaluation: Evaluation, on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Bool {
        guard let policy = try policy(of: evaluation, on: day, mayGrow: mayGrow),
            let verdict = try verdict(Verdict(evaluation), on: day, mayGrow: mayGrow)
        else { return false }
        let source = BoundedText.line(evaluation.sourceAddress ?? "", atMost: Verdict.nameLimit)
        try database.run(mayGrow ? counting : recounting) { values in
            values.add(day)
            values.add(policy)
            values.add(source)
            values.add(verdict)
        }
        return database.changes == 1
    }

    /// The number of the policy as published; 0 where there is none.
    private func policy(
        of evaluation: Evaluation, on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Int64? {
        guard var policy = evaluation.policy else { return 0 }
        policy.applied = ""
        if let known = knownPolicies[policy], known.day >= day { return known.id }
        guard let domain = try name(policy.domain, on: day, mayGrow: mayGrow) else { return nil }
        let found = try policies.number(in: database, on: day, mayGrow: mayGrow) { values in
            let words = [policy.p, policy.sp, policy.np, policy.adkim, policy.aspf]
            values.add(domain)
            for word in words { values.add(Self.word(word)) }
            values.add(policy.isTesting)
            values.add(Self.word(policy.discovery))
            values.add(Self.word(policy.failureOptions))
            for addresses in [policy.reportAddresses, policy.failureAddresses] {
                values.add(
                    BoundedText.items(addresses, atMost: Evaluation.Policy.longestReportAddresses))
            }
        }
        guard let id = found?.id else { return nil }
        if knownPolicies.count >= Self.memory { knownPolicies = [:] }
        knownPolicies[policy] = Use(id: id, day: day)
        return id
    }

    private func verdict(
        _ verdict: Verdict, on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Int64? {
        if let known = knownVerdicts[verdict], known.day >= day { return known.id }
        guard let author = try name(verdict.headerFrom, on: day, mayGrow: mayGrow),
            let envelope = try name(verdict.envelopeFrom ?? "", on: day, mayGrow: mayGrow),
            let recipient = try name(verdict.envelopeTo ?? "", on: day, mayGrow: mayGrow),
            let results = try results(verdict.authentications, on: day, mayGrow: mayGrow),
            let reasons = try reasons(verdict.overrides, on: day, mayGrow: mayGrow)
        else { return nil }
        let found = try verdicts.number(in: database, on: day, mayGrow: mayGrow) { values in
            values.add(author)
            values.add(envelope)
            values.add(recipient)
            values.add(verdict.applied)
            values.add(verdict.result)
            values.add(verdict.disposition)
            values.add(verdict.isDKIMAligned)
            values.add(verdict.isSPFAligned)
            values.add(verdict.arc)
            values.add(results)
            values.add(reasons)
        }
        guard let id = found?.id else { return nil }
        if knownVerdicts.count >= Self.memory { knownVerdicts = [:] }
        knownVerdicts[verdict] = Use(id: id, day: day)
        return id
    }

    /// The number of a list of results; its text has the numbers of their names.
    private func results(
        _ authentications: [Evaluation.Authentication], on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Int64? {
        if authentications.isEmpty { return 0 }
        var numbers: [(domain: Int64, selector: Int64)] = []
        for found in authentications {
            guard let domain = try name(found.domain, on: day, mayGrow: mayGrow),
                let selector = try name(found.selector ?? "", on: day, mayGrow: mayGrow)
            else { return nil }
            numbers.append((domain, selector))
        }
        let text = zip(authentications, numbers).map { found, numbers in
            [
                found.mechanism, String(numbers.domain), String(numbers.selector),
                found.scope ?? "", found.result,
            ].joined(separator: " ")
        }.joined(separator: "\n")
        guard
            let list = try resultLists.number(
                in: database, on: day, mayGrow: mayGrow, { $0.add(text) })
        else { return nil }
        guard list.isNew else { return list.id }
        for (position, found) in authentications.enumerated() {
            try database.run(result) { values in
                values.add(list.id)
                values.add(Int64(position))
                values.add(found.mechanism)
                values.add(numbers[position].domain)
                values.add(numbers[position].selector)
                values.add(found.scope ?? "")
                values.add(found.result)
            }
        }
        return list.id
    }

    /// The number of a list of reasons: a line with the type and the comment for each.
    private func reasons(
        _ overrides: [Evaluation.Override], on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Int64? {
        if overrides.isEmpty { return 0 }
        let text = overrides.map { "\($0.kind): \($0.comment)" }.joined(separator: "\n")
        return try reasonLists.number(in: database, on: day, mayGrow: mayGrow) { $0.add(text) }?.id
    }

    /// The number of a name; 0 for none.
    private func name(
        _ name: String, on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Int64? {
        if name.isEmpty { return 0 }
        let text = BoundedText.line(name, atMost: Verdict.nameLimit)
        return try names.number(in: database, on: day, mayGrow: mayGrow) { $0.add(text) }?.id
    }

    private static func word(_ word: String?) -> String {
        BoundedText.line(word ?? "", atMost: wordLimit)
    }
}
