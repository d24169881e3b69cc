internal import Glibc

/// The report store in PostgreSQL, for several hosts that share their domains.
///
/// Connected when there is something to write, and anew after each failure. Days that are older than
/// the retention are deleted bit by bit. A store that has come to its limit takes no new groups:
/// messages of groups that it has are still counted there, all others as others of their day.
public final class PostgreSQLReportStore: ReportStore {
    private let address: String
    private let retention: Int64?
    private let limit: Int64
    private let now: () -> Int64
    private var writer: PostgreSQLConnection?
    private var reader: PostgreSQLConnection?
    private var policies: [Evaluation.Policy: Use] = [:]
    private var verdicts: [Verdict: Use] = [:]
    private var hasRoom = true
    private var nextLook: Int64 = 0
    private var nextTidying: Int64 = 0
    private var notice = OthersNotice()

    /// A number, and the last day on which the store has its value as used.
    private struct Use {
        let id: String
        let day: Int64
    }

    /// Messages that are counted together.
    private struct Group: Hashable {
        let day: Int64
        let policy: String
        let source: String
        let verdict: String
    }

    /// How many policies and how many verdicts are remembered: some megabytes of each.
    private static let memory = 2048
    private static let wordLimit = 32
    /// How often to look how much room there is, in seconds.
    private static let lookPeriod: Int64 = 10
    /// How often to look for what is too old, in seconds.
    private static let period: Int64 = 3600
    /// How many rows are deleted at once.
    private static let batch = 5000
    /// How many rows are read at once.
    private static let readBatch = 1000
    /// About how many octets a row takes, its part of the indices included.
    private static let rowSizes = [
        ("message_count", 160), ("verdict", 500), ("policy", 500), ("report", 4000),
    ]

    /// The store at this address; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - address: a URI or settings, as libpq reads them.
    ///   - days: how many whole days are kept besides today; nil for all.
    ///   - limit: about how large the contents may become, in octets.
    ///   - now: the time in seconds since 1970; the system's, if not given.
    public init(
        address: String, keepingDays days: Int? = nil,
        limit: Int64 = SQLiteReportStore.defaultLimit, now: (() -> Int64)? = nil
    ) {
        self.address = address
        self.limit = limit
        self.now = now ?? { Int64(time(nil)) }
        retention = days.map { Int64($0) }
    }

    /// Counts all evaluations.
    public func write(_ evaluations: [Evaluation]) throws(SinkError) {
        do {
            let connection = try open()
            var leftOut = 0
            try connection.transaction { () throws(SinkError) in
                try connection.run(PostgreSQLSchema.writing)
                try look(connection)
                leftOut = try count(evaluations, connection)
            }
            notice.add(leftOut)
        } catch {
            close()
            throw error
        }
    }

    /// Deletes some of what is older than the retention, if an hour has passed.
    public func tidy() throws(SinkError) -> Bool {
        let now = now()
        guard now >= nextTidying, let writer, let retention else { return false }
        do {
            let oldest = String(now / 86_400 - retention)
            (policies, verdicts) = ([:], [:])
            for (table, column) in [
                ("message_count", "day"), ("other", "day"), ("verdict", "last_day"),
                ("policy", "last_day"),
            ] {
                let deleted = try writer.run(
                    """
                    DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
                        SELECT ctid FROM \(table) WHERE \(column) < $1 LIMIT \(Self.batch)))
                    """, [oldest])
                if deleted.changes == Self.batch { return true }
            }
            nextTidying = now + Self.period
            return false
        } catch {
            close()
            throw error
        }
    }

    /// That messages are left out, once a minute.
    public func notices() -> [String] { notice.lines(at: now()) }

    private func open() throws(SinkError) -> PostgreSQLConnection {
        if let writer { return writer }
        let opened = try PostgreSQLSchema.connect(address)
        writer = opened
        return opened
    }

    private func close() {
        (writer, policies, verdicts) = (nil, [:], [:])
    }

    /// Looks whether there is room, by the server's statistics: to count the rows would take too long.
    private func look(_ connection: PostgreSQLConnection) throws(SinkError) {
        let now = now()
        guard now >= nextLook else { return }
        nextLook = now + Self.lookPeriod
        let sizes = Self.rowSizes.map { "WHEN '\($0.0)' THEN \($0.1)" }.joined(separator: " ")
        let rows = try connection.run(
            """
            SELECT coalesce(sum(n_live_tup * CASE relname \(sizes) ELSE 0 END), 0)::bigint
            FROM pg_stat_user_tables WHERE schemaname = 'signet'
            """, [])
        hasRoom = rows.integer(0, 0) < limit
    }

    /// Counts evaluations.
    ///
    /// - Returns: how many are counted as others of their day.
    private func count(
        _ evaluations: [Evaluation], _ connection: PostgreSQLConnection
    ) throws(SinkError) -> Int {
        var groups: [Group: Int64] = [:]
        var left: [Int64: Int64] = [:]
        for evaluation in evaluations {
            let day = max(0, evaluation.received) / 86_400
            guard let policy = try policy(of: evaluation, on: day, connection),
                let verdict = try verdict(Verdict(evaluation), on: day, connection)
            else {
                left[day, default: 0] += 1
                continue
            }
            let source = BoundedText.line(
                evaluation.sourceAddress ?? "", atMost: Verdict.nameLimit)
            groups[
                Group(day: day, policy: policy, source: source, verdict: verdict), default: 0] += 1
        }
        let counted = groups.map { ($0.key, $0.value) }
        let arrays = [
            Self.array(counted.map { String($0.0.day) }),
            Self.array(counted.map(\.0.policy)), Self.array(counted.map(\.0.source)),
            Self.array(counted.map(\.0.verdict)), Self.array(counted.map { String($0.1) }),
        ]
        let source = """
            unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
                AS new (day, policy, source, verdict, messages)
            """
        if hasRoom {
            try connection.run(
                """
                INSERT INTO message_count SELECT * FROM \(source)
                ON CONFLICT (day, policy, source, verdict)
                DO UPDATE SET messages = message_count.messages + excluded.messages
                """, arrays)
        } else {
            let rest = try connection.run(
                """
                WITH new AS (SELECT * FROM \(source)), known AS (
                    UPDATE message_count SET messages = message_count.messages + new.messages
                    FROM new WHERE message_count.day = new.day
                        AND message_count.policy = new.policy
                        AND message_count.source = new.source
                        AND message_count.verdict = new.verdict
                    RETURNING new.day, new.policy, new.source, new.verdict)
                SELECT day, sum(messages)::bigint FROM new
                WHERE (day, policy, source, verdict) NOT IN (SELECT * FROM known)
                GROUP BY day
                """, arrays)
            for row in 0..<rest.count {
                left[rest.integer(row, 0), default: 0] += rest.integer(row, 1)
            }
        }
        for (day, messages) in left {
            try connection.run(
                """
                INSERT INTO other VALUES ($1, $2) ON CONFLICT (day)
                DO UPDATE SET messages = other.messages + excluded.messages
                """, [String(day), String(messages)])
        }
        return Int(left.values.reduce(0, +))
    }

    /// The number of the policy as published; 0 where there is none, nil where there is no room.
    private func policy(
        of evaluation: Evaluation, on day: Int64, _ connection: PostgreSQLConnection
    ) throws(SinkError) -> String? {
        guard var policy = evaluation.policy else { return "0" }
        policy.applied = ""
        if let known = policies[policy], known.day >= day { return known.id }
        func word(_ text: String?) -> String {
            BoundedText.line(text ?? "", atMost: Self.wordLimit)
        }
        func items(_ items: [String]) -> String {
            BoundedText.items(items, atMost: Evaluation.Policy.longestReportAddresses)
        }
        let values = [
            BoundedText.line(policy.domain, atMost: Verdict.nameLimit), word(policy.p),
            word(policy.sp), word(policy.np), word(policy.adkim), word(policy.aspf),
            policy.isTesting ? "t" : "f", word(policy.discovery), word(policy.failureOptions),
            items(policy.reportAddresses), items(policy.failureAddresses),
        ]
        let columns =
            "domain, p, sp, np, adkim, aspf, testing, discovery_method, fo, rua, ruf"
        guard let id = try number(in: "policy", columns, values, on: day, connection) else {
            return nil
        }
        if policies.count >= Self.memory { policies = [:] }
        policies[policy] = Use(id: id, day: day)
        return id
    }

    private func verdict(
        _ verdict: Verdict, on day: Int64, _ connection: PostgreSQLConnection
    ) throws(SinkError) -> String? {
        if let known = verdicts[verdict], known.day >= day { return known.id }
        let values = [
            verdict.headerFrom, verdict.envelopeFrom ?? "", verdict.envelopeTo ?? "",
            verdict.applied, verdict.result, verdict.disposition,
            verdict.isDKIMAligned ? "t" : "f", verdict.isSPFAligned ? "t" : "f", verdict.arc,
            Self.text(of: verdict.authentications), Self.text(of: verdict.overrides),
        ]
        let columns = """
            header_from, envelope_from, envelope_to, policy_applied, result, disposition,
            dkim_aligned, spf_aligned, arc, results, reasons
            """
        guard let id = try number(in: "verdict", columns, values, on: day, connection) else {
            return nil
        }
        if verdicts.count >= Self.memory { verdicts = [:] }
        verdicts[verdict] = Use(id: id, day: day)
        return id
    }

    /// The number of a row that is used on a day; nil where it is not there and there is no room.
    private func number(
        in table: String, _ columns: String, _ values: [String], on day: Int64,
        _ connection: PostgreSQLConnection
    ) throws(SinkError) -> String? {
        let key = values.joined(separator: "\n")
        let last = values.count + 1
        let digest = "sha256(convert_to($\(last + 1), 'UTF8'))"
        guard hasRoom else {
            let rows = try connection.run(
                """
                UPDATE \(table) SET last_day = greatest(last_day, $1)
                WHERE digest = sha256(convert_to($2, 'UTF8')) RETURNING id
                """, [String(day), key])
            return rows.count == 1 ? rows.text(0, 0) : nil
        }
        let marks = (1...last).map { "$\($0)" }.joined(separator: ", ")
        let rows = try connection.run(
            """
            INSERT INTO \(table) (\(columns), last_day, digest) VALUES (\(marks), \(digest))
            ON CONFLICT (digest)
            DO UPDATE SET last_day = greatest(\(table).last_day, excluded.last_day)
            RETURNING id
            """, values + [String(day), key])
        return rows.text(0, 0)
    }

    /// An array as PostgreSQL reads it.
    private static func array(_ items: [String]) -> String {
        let quoted = items.map { item in
            let escaped = item.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "\"\(escaped)\""
        }
        return "{\(quoted.joined(separator: ","))}"
    }

    /// A line for each result, with tabs: what strangers have written has neither.
    private static func text(of authentications: [Evaluation.Authentication]) -> String {
        authentications.map { found in
            [found.mechanism, found.domain, found.selector ?? "", found.scope ?? "", found.result]
                .joined(separator: "\t")
        }.joined(separator: "\n")
    }

    private static func text(of overrides: [Evaluation.Override]) -> String {
        overrides.map { "\($0.kind)\t\($0.comment)" }.joined(separator: "\n")
    }
}

extension PostgreSQLReportStore {
    /// The policies under which mail was evaluated on a day, in the order of their domains' names.
    public func policies(on day: Int64) throws(SinkError) -> [PublishedPolicy] {
        let rows = try reading().run(
            """
            SELECT id, domain, p, sp, np, adkim, aspf, testing, discovery_method, fo, rua, ruf
            FROM policy
            WHERE id IN (SELECT DISTINCT policy FROM message_count WHERE day = $1)
            ORDER BY domain COLLATE "C", id
            """, [String(day)])
        return (0..<rows.count).map { row in
            PublishedPolicy(
                id: rows.integer(row, 0),
                policy: Evaluation.Policy(
                    domain: rows.text(row, 1), applied: "", p: rows.text(row, 2),
                    sp: rows.optional(row, 3), np: rows.optional(row, 4),
                    adkim: rows.text(row, 5), aspf: rows.text(row, 6),
                    isTesting: rows.flag(row, 7), discovery: rows.text(row, 8),
                    reportAddresses: Self.items(rows.text(row, 10)),
                    failureOptions: rows.optional(row, 9),
                    failureAddresses: Self.items(rows.text(row, 11))))
        }
    }

    /// Hands over what was counted under a policy on a day.
    public func counts(
        under policy: PublishedPolicy, on day: Int64,
        _ each: (EvaluationCount) throws(SinkError) -> Void
    ) throws(SinkError) {
        let connection = try reading()
        try connection.transaction("BEGIN READ ONLY") { () throws(SinkError) in
            try connection.run(
                """
                DECLARE counts CURSOR FOR
                SELECT source, messages, header_from, envelope_from, envelope_to, policy_applied,
                    result, disposition, dkim_aligned, spf_aligned, arc, results, reasons,
                    message_count.verdict
                FROM message_count JOIN verdict ON verdict.id = message_count.verdict
                WHERE day = \(day) AND policy = \(policy.id)
                ORDER BY source COLLATE "C", message_count.verdict
                """)
            while true {
                let rows = try connection.run("FETCH \(Self.readBatch) FROM counts", [])
                guard rows.count > 0 else { break }
                for row in 0..<rows.count { try each(Self.count(rows, row)) }
            }
        }
    }

    /// How many messages of a day were left out.
    public func others(on day: Int64) throws(SinkError) -> Int64 {
        let rows = try reading().run("SELECT messages FROM other WHERE day = $1", [String(day)])
        return rows.count == 1 ? rows.integer(0, 0) : 0
    }

    private func reading() throws(SinkError) -> PostgreSQLConnection {
        if let reader { return reader }
        let opened = try PostgreSQLSchema.connectToExisting(address)
        reader = opened
        return opened
    }

    private static func count(_ rows: PostgreSQLRows, _ row: Int32) -> EvaluationCount {
        let verdict = Verdict(
            headerFrom: rows.text(row, 2), envelopeFrom: rows.optional(row, 3),
            envelopeTo: rows.optional(row, 4), applied: rows.text(row, 5),
            result: rows.text(row, 6), disposition: rows.text(row, 7),
            isDKIMAligned: rows.flag(row, 8), isSPFAligned: rows.flag(row, 9),
            arc: rows.text(row, 10), authentications: results(rows.text(row, 11)),
            overrides: overrides(rows.text(row, 12)))
        return EvaluationCount(
            sourceAddress: rows.optional(row, 0), verdict: verdict,
            verdictNumber: rows.integer(row, 13), messages: rows.integer(row, 1))
    }

    private static func results(_ text: String) -> [Evaluation.Authentication] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard parts.count == 5 else { return nil }
            func optional(_ part: Substring) -> String? { part.isEmpty ? nil : String(part) }
            return Evaluation.Authentication(
                mechanism: String(parts[0]), domain: String(parts[1]),
                selector: optional(parts[2]), scope: optional(parts[3]), result: String(parts[4]))
        }
    }

    private static func overrides(_ text: String) -> [Evaluation.Override] {
        text.split(separator: "\n").map { line in
            let parts = line.split(
                separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            return Evaluation.Override(
                kind: String(parts[0]), comment: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    private static func items(_ text: String) -> [String] {
        text.split(separator: " ").map(String.init)
    }
}
