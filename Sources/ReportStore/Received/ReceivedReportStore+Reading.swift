extension ReceivedReportStore {
    /// The reports about days from one on, the oldest first.
    package func reports(
        since day: Int64, _ each: (StoredReport) throws(SinkError) -> Void
    ) throws(SinkError) {
        try database.rows(
            "SELECT \(Self.reportColumns) WHERE day >= $1 ORDER BY day, number", [.integer(day)]
        ) { row throws(SinkError) in try each(StoredReport(row)) }
    }

    /// The reports with a Report-ID, and what was refused with it.
    package func find(id: String) throws(SinkError) -> ([StoredReport], [ReceivedRefusal]) {
        var reports: [StoredReport] = []
        try database.rows(
            "SELECT \(Self.reportColumns) WHERE id = $1 ORDER BY number", [.text(Self.line(id))]
        ) { reports.append(StoredReport($0)) }
        var refusals: [ReceivedRefusal] = []
        try database.rows(
            """
            SELECT received, status, kind, reporter, id, domain, reason, notes, kept
            FROM received_refusal WHERE (id = $1 OR kept = $1) AND status <> 'gone'
            ORDER BY number
            """, [.text(Self.line(id))]
        ) { refusals.append(ReceivedRefusal($0)) }
        return (reports, refusals)
    }

    /// What was refused since a time and is kept aside still, the newest first.
    package func refusals(
        since time: Int64, atMost limit: Int
    ) throws(SinkError) -> [ReceivedRefusal] {
        var refusals: [ReceivedRefusal] = []
        try database.rows(
            """
            SELECT received, status, kind, reporter, id, domain, reason, notes, kept
            FROM received_refusal WHERE received >= $1 AND status <> 'gone'
            ORDER BY number DESC LIMIT $2
            """, [.integer(time), .integer(Int64(limit))]
        ) { refusals.append(ReceivedRefusal($0)) }
        return refusals
    }

    /// How many reports were refused after a number, and the number of the last one.
    ///
    /// - Parameter mark: the number; 0 for all.
    /// - Returns: how many are foreign and how many are refused otherwise, and the highest number in the store, or 0.
    /// - Throws: why the store cannot be read.
    package func refusalCounts(
        after mark: Int64
    ) throws(SinkError) -> (foreign: Int64, refused: Int64, last: Int64) {
        var counts: (foreign: Int64, refused: Int64, last: Int64) = (0, 0, 0)
        try database.rows(
            """
            SELECT count(CASE WHEN number > $1 AND status = 'foreign' THEN 1 END),
                count(CASE WHEN number > $1 AND status <> 'foreign' THEN 1 END),
                CAST(coalesce(max(number), 0) AS bigint)
            FROM received_refusal
            """, [.integer(mark)]
        ) { counts = ($0.integer(0), $0.integer(1), $0.integer(2)) }
        return counts
    }

    /// What was counted about days from one on, for each domain, source and verdict.
    ///
    /// - Parameters:
    ///   - day: the first day.
    ///   - middle: the day from which messages are counted as recent too.
    ///   - verdicts: the verdicts by their numbers, where they were read already.
    ///   - each: is given the sums, those of one domain and source behind each other.
    /// - Throws: why the store cannot be read.
    package func counts(
        since day: Int64, middle: Int64, _ verdicts: [Int64: ReceivedVerdict]? = nil,
        _ each: (StoredCount) throws(SinkError) -> Void
    ) throws(SinkError) {
        let known = try texts("received_name")
        let verdicts = if let verdicts { verdicts } else { try allVerdicts() }
        try database.rows(
            """
            SELECT domain, source, verdict, min(day), max(day),
                CAST(sum(messages) AS bigint),
                CAST(sum(CASE WHEN day >= $1 THEN messages ELSE 0 END) AS bigint)
            FROM received_count WHERE day >= $2
            GROUP BY domain, source, verdict ORDER BY domain, source, verdict
            """, [.integer(middle), .integer(day)]
        ) { row throws(SinkError) in
            try each(
                StoredCount(
                    domain: known[row.integer(0)] ?? "", source: row.text(1),
                    verdictNumber: row.integer(2),
                    verdict: verdicts[row.integer(2)] ?? ReceivedVerdict(),
                    first: row.integer(3), last: row.integer(4), messages: row.integer(5),
                    recent: row.integer(6)))
        }
    }

    /// What was counted about days from one on, day by day and reporter by reporter, in the order of domains and sources.
    ///
    /// - Parameters:
    ///   - day: the first day.
    ///   - each: is given each row; its source is read only where that is asked for.
    /// - Throws: why the store cannot be read.
    package func rows(
        since day: Int64, _ each: (StoredRow) throws(SinkError) -> Void
    ) throws(SinkError) {
        let known = try texts("received_name")
        try database.rows(
            """
            SELECT domain, verdict, day, reporter, messages, source FROM received_count
            WHERE day >= $1 ORDER BY domain, source
            """, [.integer(day)]
        ) { row throws(SinkError) in
            try each(
                StoredRow(
                    domain: known[row.integer(0)] ?? "", verdict: row.integer(1),
                    day: row.integer(2), reporter: known[row.integer(3)] ?? "",
                    messages: row.integer(4), row: row))
        }
    }

    /// The verdicts by their numbers.
    package func allVerdicts() throws(SinkError) -> [Int64: ReceivedVerdict] {
        var verdicts: [Int64: ReceivedVerdict] = [:]
        try database.rows("SELECT id, value FROM received_verdict", []) {
            verdicts[$0.integer(0)] = ReceivedVerdict(line: $0.text(1))
        }
        return verdicts
    }

    private func texts(_ table: String) throws(SinkError) -> [Int64: String] {
        var texts: [Int64: String] = [:]
        try database.rows("SELECT id, value FROM \(table)", []) {
            texts[$0.integer(0)] = $0.text(1)
        }
        return texts
    }

    /// What TLS reports say of days from one on: for each domain and policy type the sessions, and how they failed.
    package func sessions(since day: Int64) throws(SinkError) -> [ReceivedSessions] {
        var found: [ReceivedSessions] = []
        try database.rows(
            """
            SELECT domain, type, CAST(sum(successful) AS bigint), CAST(sum(failed) AS bigint)
            FROM received_sessions WHERE day >= $1 GROUP BY domain, type ORDER BY domain, type
            """, [.integer(day)]
        ) { row in
            var sessions = ReceivedSessions()
            (sessions.domain, sessions.type) = (row.text(0), row.text(1))
            (sessions.successful, sessions.failed) = (row.integer(2), row.integer(3))
            found.append(sessions)
        }
        try database.rows(
            """
            SELECT received_sessions.domain, received_sessions.type,
                received_session_failure.type, host, CAST(sum(sessions) AS bigint)
            FROM received_session_failure JOIN received_sessions
                ON received_sessions.report = received_session_failure.report
                AND received_sessions.position = received_session_failure.position
            WHERE day >= $1
            GROUP BY received_sessions.domain, received_sessions.type,
                received_session_failure.type, host
            ORDER BY 5 DESC LIMIT 1000
            """, [.integer(day)]
        ) { row in
            let place = found.firstIndex { $0.domain == row.text(0) && $0.type == row.text(1) }
            guard let place else { return }
            found[place].failures.append(
                ReceivedSessions.Failure(
                    type: row.text(2), host: row.text(3), source: "", sessions: row.integer(4),
                    reason: ""))
        }
        return found
    }

    /// The messages of failure reports about days from one on, the newest first.
    package func failures(
        since day: Int64, atMost limit: Int
    ) throws(SinkError) -> [(day: Int64, domain: String, failure: ReceivedFailure)] {
        var found: [(day: Int64, domain: String, failure: ReceivedFailure)] = []
        try database.rows(
            """
            SELECT day, domain, source, header_from, envelope_from, failure, delivery, results
            FROM received_failure WHERE day >= $1 ORDER BY day DESC, report DESC LIMIT $2
            """, [.integer(day), .integer(Int64(limit))]
        ) { row in
            var failure = ReceivedFailure()
            (failure.source, failure.headerFrom) = (row.text(2), row.text(3))
            (failure.envelopeFrom, failure.failure) = (row.text(4), row.text(5))
            (failure.delivery, failure.results) = (row.text(6), row.text(7))
            found.append((row.integer(0), row.text(1), failure))
        }
        return found
    }

    private static let reportColumns = """
        kind, reporter, reporter_domain, id, domain, begins, ends, day, received, records,
        messages, passed, policy, notes FROM received_report
        """
}
