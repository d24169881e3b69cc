extension ReceivedReportStore {
    /// How large the received reports may become if nothing is said, in octets.
    package static let defaultLimit: Int64 = 1 << 30

    /// What was forgotten for want of room.
    package struct Forgotten: Hashable, Sendable {
        /// The first day that is still there, in days since 1970.
        package let before: Int64
        /// How many reports are gone.
        package let reports: Int64
    }

    /// Forgets the reports about the oldest days where the store has outgrown a limit, a tenth more than that asks for.
    ///
    /// A file keeps its size, and what is free in it is used again. In PostgreSQL the size is an estimate by the number of rows.
    ///
    /// - Parameter limit: the limit in octets.
    /// - Returns: what is forgotten; nil where there is room.
    /// - Throws: why the store cannot be read or written.
    package func makeRoom(below limit: Int64) throws(SinkError) -> Forgotten? {
        var all: Forgotten?
        // Pages of which a part is left stay in use, so that once may not be enough.
        for _ in 0..<Self.passes {
            guard let gone = try makeSomeRoom(below: limit) else { break }
            all = Forgotten(before: gone.before, reports: gone.reports + (all?.reports ?? 0))
        }
        return all
    }

    private static let passes = 10

    private func makeSomeRoom(below limit: Int64) throws(SinkError) -> Forgotten? {
        let measured = try database.octets()
        if let measured, measured <= limit { return nil }
        let estimate = try estimatedOctets()
        // Evaluations in the same file are not ours to forget, and the estimate is far above what SQLite takes.
        guard estimate > limit else { return nil }
        let size = Double(measured ?? estimate)
        let excess = (size - 0.9 * Double(limit)) / size
        let days = try weights()
        let total = days.reduce(0) { $0 + $1.weight }
        var (gone, reports) = (0.0, Int64(0))
        var before: Int64?
        for day in days where gone < excess * total {
            gone += day.weight
            reports += day.reports
            before = day.day + 1
        }
        guard let before else { return nil }
        try forget(before: before)
        return Forgotten(before: before, reports: reports)
    }

    /// About how many octets the rows take, by their number.
    private func estimatedOctets() throws(SinkError) -> Int64 {
        let sizes: [(String, Int64)] = [
            ("received_count", 150), ("received_report", 500), ("received_verdict", 300),
            ("received_name", 100), ("received_failure", 400), ("received_sessions", 120),
            ("received_session_failure", 250), ("received_refusal", 1000),
        ]
        var sum: Int64 = 0
        for (table, size) in sizes {
            try database.rows("SELECT count(*) FROM \(table)", []) { sum += size * $0.integer(0) }
        }
        return sum
    }

    /// How many reports each day has, and how much room they are likely to take; the oldest first.
    private func weights() throws(SinkError) -> [(day: Int64, reports: Int64, weight: Double)] {
        var days: [(day: Int64, reports: Int64, weight: Double)] = []
        try database.rows(
            """
            SELECT day, count(*), CAST(sum(records) AS bigint) FROM received_report
            GROUP BY day ORDER BY day
            """, []
        ) { days.append(($0.integer(0), $0.integer(1), Double($0.integer(1) * 5 + $0.integer(2)))) }
        return days
    }
}
