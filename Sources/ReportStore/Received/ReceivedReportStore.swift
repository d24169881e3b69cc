internal import MailSyntax

/// The reports that were received, in SQLite or PostgreSQL.
///
/// Messages are counted for each domain, source, verdict, day and reporter; what a report says beyond that is kept as the report.
package final class ReceivedReportStore {
    let database: any ReceivedSQL
    private var names: [String: Int64] = [:]
    private var verdicts: [ReceivedVerdict: Int64] = [:]

    /// How many names and how many verdicts are remembered.
    private static let memory = 8192
    /// How many refusals are remembered.
    package static let refusalLimit = 2000
    /// The longest notes of a report, in octets.
    private static let notesLimit = 8192

    /// Opens the store.
    ///
    /// - Parameters:
    ///   - location: where it is; it is made where there is none.
    ///   - isReadOnly: whether nothing is to be made or changed.
    /// - Throws: why it cannot be opened.
    package init(_ location: StoreLocation, isReadOnly: Bool = false) throws(SinkError) {
        switch location {
        case .file(let path):
            database = try ReceivedSchema.open(path: path, isReadOnly: isReadOnly)
        case .postgreSQL(let address):
            database = try ReceivedSchema.open(address: address, isReadOnly: isReadOnly)
        }
    }

    /// Adds reports, all of them or none; they are durable when this returns.
    ///
    /// - Parameters:
    ///   - reports: the reports.
    ///   - now: the time, in seconds since 1970.
    /// - Returns: for each whether it is new; one that is there already changes nothing.
    /// - Throws: why nothing could be written.
    package func add(
        _ reports: [ReceivedReport], at now: Int64
    ) throws(SinkError) -> [Bool] {
        var areNew: [Bool] = []
        // Another process may have removed what was not in use.
        (names, verdicts) = ([:], [:])
        do throws(SinkError) {
            try database.transaction { () throws(SinkError) in
                for report in reports { areNew.append(try add(report, at: now)) }
            }
        } catch {
            // Numbers that were given in the transaction are gone with it.
            (names, verdicts) = ([:], [:])
            throw error
        }
        return areNew
    }

    private func add(_ report: ReceivedReport, at now: Int64) throws(SinkError) -> Bool {
        let policy = report.policy
        var number: Int64?
        try database.rows(
            """
            INSERT INTO received_report (kind, reporter, reporter_domain, id, domain, begins,
                ends, day, received, records, messages, passed, policy, notes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT DO NOTHING RETURNING number
            """,
            [
                .text(report.kind.rawValue), .text(Self.line(report.reporter)),
                .text(Self.line(report.reporterDomain)), .text(Self.line(report.id)),
                .text(Self.line(report.domain)), .integer(report.begin), .integer(report.end),
                .integer(report.day), .integer(now), .integer(Int64(report.records)),
                .integer(report.messages), .integer(report.numbers.passed),
                .text(
                    [policy.p, policy.sp, policy.np, policy.adkim, policy.aspf]
                        .joined(separator: " ")),
                .text(Self.notes(report.notes)),
            ]
        ) { number = $0.integer(0) }
        guard let number else { return false }
        try addCounts(of: report)
        try addFailure(of: report, number)
        try addSessions(of: report, number)
        return true
    }

    private func addCounts(of report: ReceivedReport) throws(SinkError) {
        guard !report.counts.isEmpty else { return }
        let domain = try name(report.domain)
        let reporter = try name(report.reporterDomain)
        var places: [Int64] = []
        for verdict in report.verdicts { places.append(try self.verdict(verdict)) }
        try database.add(
            report.counts.map {
                ReceivedCountRow(
                    domain: domain, source: $0.source.description, verdict: places[$0.verdict],
                    day: report.day, reporter: reporter, messages: $0.messages)
            })
    }

    private func addFailure(
        of report: ReceivedReport, _ number: Int64
    ) throws(SinkError) {
        guard let failure = report.failure else { return }
        try database.run(
            "INSERT INTO received_failure VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                .integer(number), .integer(report.day), .text(Self.line(report.domain)),
                .text(Self.line(failure.source)), .text(Self.line(failure.headerFrom)),
                .text(Self.line(failure.envelopeFrom)), .text(Self.line(failure.failure)),
                .text(Self.line(failure.delivery)), .text(Self.line(failure.results)),
            ])
    }

    private func addSessions(
        of report: ReceivedReport, _ number: Int64
    ) throws(SinkError) {
        for (position, sessions) in report.sessions.enumerated() {
            try database.run(
                "INSERT INTO received_sessions VALUES ($1, $2, $3, $4, $5, $6, $7)",
                [
                    .integer(number), .integer(Int64(position)), .integer(report.day),
                    .text(Self.line(sessions.domain)), .text(Self.line(sessions.type)),
                    .integer(sessions.successful), .integer(sessions.failed),
                ])
            for (place, failure) in sessions.failures.enumerated() {
                try database.run(
                    "INSERT INTO received_session_failure VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    [
                        .integer(number), .integer(Int64(position)), .integer(Int64(place)),
                        .text(Self.line(failure.type)), .text(Self.line(failure.host)),
                        .text(Self.line(failure.source)), .integer(failure.sessions),
                        .text(Self.line(failure.reason)),
                    ])
            }
        }
    }

    /// Remembers why something was kept aside; the oldest of too many are forgotten.
    ///
    /// - Parameters:
    ///   - refusals: why.
    ///   - names: the names of what was looked at again: what was remembered of them holds no longer.
    /// - Throws: why nothing could be written.
    package func remember(
        _ refusals: [ReceivedRefusal], replacing names: Set<String> = []
    ) throws(SinkError) {
        try database.transaction { () throws(SinkError) in
            var known: Set<String> = []
            if !names.isEmpty {
                try database.rows("SELECT DISTINCT kept FROM received_refusal", []) {
                    known.insert($0.text(0))
                }
            }
            for name in names.map(Self.line).sorted() where known.contains(name) {
                // The number stays, as others have counted up to it.
                try database.run(
                    "UPDATE received_refusal SET status = 'gone' WHERE kept = $1",
                    [.text(name)])
            }
            for refusal in refusals {
                try database.run(
                    """
                    INSERT INTO received_refusal (received, status, kind, reporter, id, domain,
                        reason, notes, kept)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                    """,
                    [
                        .integer(refusal.received),
                        .text(refusal.isForeign ? "foreign" : "refused"),
                        .text(refusal.kind?.rawValue ?? ""), .text(Self.line(refusal.reporter)),
                        .text(Self.line(refusal.id)), .text(Self.line(refusal.domain)),
                        .text(Self.line(refusal.reason)), .text(Self.notes(refusal.notes)),
                        .text(Self.line(refusal.kept)),
                    ])
            }
            try database.run(
                """
                DELETE FROM received_refusal WHERE number <=
                    (SELECT coalesce(max(number), 0) FROM received_refusal) - \(Self.refusalLimit)
                """, [])
        }
    }

    /// Forgets the reports of days before one.
    package func forget(before day: Int64) throws(SinkError) {
        try database.transaction { () throws(SinkError) in
            // Most runs have nothing to forget, and the counts have no index by day.
            var isThere = false
            try database.rows(
                "SELECT 1 FROM received_report WHERE day < $1 LIMIT 1", [.integer(day)]
            ) { _ in isThere = true }
            guard isThere else { return }
            let old = "(SELECT number FROM received_report WHERE day < $1)"
            for table in ["received_session_failure", "received_sessions", "received_failure"] {
                try database.run(
                    "DELETE FROM \(table) WHERE report IN \(old)", [.integer(day)])
            }
            for table in ["received_count", "received_report"] {
                try database.run("DELETE FROM \(table) WHERE day < $1", [.integer(day)])
            }
            try database.excludeOthers()
            try database.run(
                "DELETE FROM received_verdict WHERE id NOT IN (SELECT verdict FROM received_count)",
                [])
            try database.run(
                """
                DELETE FROM received_name WHERE id NOT IN
                    (SELECT domain FROM received_count UNION SELECT reporter FROM received_count)
                """, [])
        }
    }

    private func name(_ text: String) throws(SinkError) -> Int64 {
        let line = Self.line(text)
        if let known = names[line] { return known }
        let number = try intern(line, "received_name")
        if names.count >= Self.memory { names = [:] }
        names[line] = number
        return number
    }

    private func verdict(_ verdict: ReceivedVerdict) throws(SinkError) -> Int64 {
        if let known = verdicts[verdict] { return known }
        let number = try intern(verdict.line, "received_verdict")
        if verdicts.count >= Self.memory { verdicts = [:] }
        verdicts[verdict] = number
        return number
    }

    private func intern(_ text: String, _ table: String) throws(SinkError) -> Int64 {
        var number: Int64 = 0
        // An update that changes nothing makes RETURNING give the number of a row that is there.
        try database.rows(
            """
            INSERT INTO \(table) (value) VALUES ($1)
            ON CONFLICT (value) DO UPDATE SET value = excluded.value RETURNING id
            """, [.text(text)]
        ) { number = $0.integer(0) }
        return number
    }

    static func line(_ text: String) -> String { BoundedText.line(text, atMost: 512) }

    private static func notes(_ notes: [String]) -> String {
        var text = ""
        for note in notes {
            let line = BoundedText.line(note, atMost: 400)
            guard text.utf8.count + line.utf8.count < notesLimit else { break }
            text += text.isEmpty ? line : "\n\(line)"
        }
        return text
    }
}
