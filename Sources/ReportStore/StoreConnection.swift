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

    /// Messages that are counted together.
    private struct Group: Hashable, Comparable {
        let day: Int64
        let policy: Int64
        let source: String
        let verdict: Int64

        static func < (one: Group, other: Group) -> Bool {
            (one.day, one.policy, one.source, one.verdict)
                < (other.day, other.policy, other.source, other.verdict)
        }
    }

    /// How many policies and how many verdicts are remembered: some megabytes of each.
    private static let memory = 8192
    /// After how many steps to look again whether there is room.
    private static let stride = 64
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
            INSERT INTO message_count VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET messages = messages + excluded.messages
            """)
        recounting = try database.prepared(
            """
            UPDATE message_count SET messages = messages + ?5
            WHERE day = ?1 AND policy = ?2 AND source = ?3 AND verdict = ?4
            """)
        remainder = try database.prepared(
            """
            INSERT INTO other VALUES (?, ?)
            ON CONFLICT DO UPDATE SET messages = messages + excluded.messages
            """)
        self.database = database
    }

    /// Counts evaluations.
    ///
    /// Those that are counted together are one statement, and these come in the order of the table: it
    /// is larger than the memory for its pages.
    ///
    /// - Parameters:
    ///   - evaluations: what to count.
    ///   - hasRoom: whether there is room for what the store does not have yet; asked again and again.
    /// - Returns: how many are not counted by what they say, but as others of their days.
    /// - Throws: what SQLite says.
    func count(
        _ evaluations: [Evaluation], hasRoom: () throws(SinkError) -> Bool
    ) throws(SinkError) -> Int {
        var groups: [Group: Int64] = [:]
        var others: [Int64: Int64] = [:]
        var mayGrow = true
        for (index, evaluation) in evaluations.enumerated() {
            if index % Self.stride == 0 { mayGrow = try hasRoom() }
            let day = max(0, evaluation.received) / 86_400
            if let group = try group(of: evaluation, on: day, mayGrow: mayGrow) {
                groups[group, default: 0] += 1
            } else {
                others[day, default: 0] += 1
            }
        }
        for (index, (group, messages)) in groups.sorted(by: { $0.key < $1.key }).enumerated() {
            if index % Self.stride == 0 { mayGrow = try hasRoom() }
            try database.run(mayGrow ? counting : recounting) { values in
                values.add(group.day)
                values.add(group.policy)
                values.add(group.source)
                values.add(group.verdict)
                values.add(messages)
            }
            if database.changes != 1 { others[group.day, default: 0] += messages }
        }
        for (day, messages) in others {
            try database.run(remainder) { values in
                values.add(day)
                values.add(messages)
            }
        }
        return Int(others.values.reduce(0, +))
    }

    /// Forgets the numbers of values, some of which are about to go.
    func forget() {
        knownPolicies = [:]
        knownVerdicts = [:]
    }

    private func group(
        of evaluation: Evaluation, on day: Int64, mayGrow: Bool
    ) throws(SinkError) -> Group? {
        guard let policy = try policy(of: evaluation, on: day, mayGrow: mayGrow),
            let verdict = try verdict(Verdict(evaluation), on: day, mayGrow: mayGrow)
        else { return nil }
        let source = BoundedText.line(evaluation.sourceAddress ?? "", atMost: Verdict.nameLimit)
        return Group(day: day, policy: policy, source: source, verdict: verdict)
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
