/// The reports on their way out, in the database of several hosts: one of them sends at a time.
public final class PostgreSQLReportOutbox: ReportOutbox {
    let connection: PostgreSQLConnection

    static let columns = """
        delivery.report, position, day, domain, address, state, reason, attempts, next, created
        FROM delivery JOIN report ON report.id = delivery.report
        """
    /// The longest reason, in octets.
    static let reasonLimit = 512
    /// How many deliveries are read at once.
    private static let batch = 1000

    /// Connects to a store that is there.
    ///
    /// - Parameter address: a URI or settings, as libpq reads them.
    /// - Throws: why there is no connection, or no store.
    public init(address: String) throws(SinkError) {
        connection = try PostgreSQLSchema.connectToExisting(address)
    }

    /// Takes the lock of the one that sends, which goes with the connection.
    public func claim() throws(SinkError) -> Bool {
        let rows = try connection.run(PostgreSQLSchema.sending, [])
        return rows.count == 1 && rows.flag(0, 0)
    }

    /// The last day before one of which all reports have been made.
    public func lastDay(before day: Int64) throws(SinkError) -> Int64? {
        let rows = try connection.run(
            "SELECT max(day) FROM reported_day WHERE day < $1", [String(day)])
        return rows.count == 1 ? rows.optional(0, 0).flatMap { Int64($0) } : nil
    }

    /// Whether a report is there.
    public func has(_ report: String) throws(SinkError) -> Bool {
        try connection.run("SELECT 1 FROM report WHERE id = $1", [report]).count > 0
    }

    /// Keeps reports, all of them or none.
    public func add(_ reports: [OutgoingReport]) throws(SinkError) {
        try connection.transaction { () throws(SinkError) in
            for report in reports {
                try connection.run(
                    "INSERT INTO report VALUES ($1, $2, $3, $4, $5, $6)",
                    [
                        report.id, String(report.day), report.domain, String(report.messages),
                        String(report.created), report.mail,
                    ])
                for (position, address) in report.destinations.enumerated() {
                    try connection.run(
                        "INSERT INTO delivery VALUES ($1, $2, $3, $4, $5, 0, $6)",
                        [
                            report.id, String(position), address.address, address.state.rawValue,
                            BoundedText.line(address.reason, atMost: Self.reasonLimit),
                            String(address.next),
                        ])
                }
            }
        }
    }

    /// Records that all reports of a day have been made.
    public func finish(_ day: Int64) throws(SinkError) {
        try connection.run(
            "INSERT INTO reported_day VALUES ($1) ON CONFLICT DO NOTHING", [String(day)])
    }

    /// Takes back that the reports of the days from one on have been made.
    public func reopen(from day: Int64) throws(SinkError) {
        try connection.run("DELETE FROM reported_day WHERE day >= $1", [String(day)])
    }

    /// What is to be sent by now, the most urgent first.
    public func due(at now: Int64, atMost count: Int) throws(SinkError) -> [Delivery] {
        let rows = try connection.run(
            """
            SELECT \(Self.columns) WHERE state = 'waiting' AND next <= $1
            ORDER BY next, delivery.report, position LIMIT $2
            """, [String(now), String(count)])
        return (0..<rows.count).map { Self.delivery(rows, $0) }
    }

    /// The mail of a report, without its "To".
    public func mail(of report: String) throws(SinkError) -> String? {
        let rows = try connection.run("SELECT mail FROM report WHERE id = $1", [report])
        return rows.count == 1 ? rows.optional(0, 0) : nil
    }

    /// Records what has become of a delivery.
    public func record(
        _ delivery: Delivery, _ state: DeliveryState, reason: String, next: Int64
    ) throws(SinkError) {
        try connection.transaction { () throws(SinkError) in
            // It need not be on the disk at once: whoever loses it sends the same report again.
            try connection.run("SET LOCAL synchronous_commit = off")
            try connection.run(
                """
                UPDATE delivery SET state = $1, reason = $2, attempts = attempts + 1, next = $3
                WHERE report = $4 AND position = $5
                """,
                [
                    state.rawValue, BoundedText.line(reason, atMost: Self.reasonLimit),
                    String(next), delivery.report, String(delivery.position),
                ])
            try connection.run(
                """
                UPDATE report SET mail = '' WHERE id = $1 AND NOT EXISTS
                    (SELECT 1 FROM delivery WHERE report = $1 AND state = 'waiting')
                """, [delivery.report])
        }
    }

    /// All deliveries, the oldest day first.
    public func deliveries(
        _ each: (Delivery) throws(SinkError) -> Void
    ) throws(SinkError) {
        try connection.transaction("BEGIN READ ONLY") { () throws(SinkError) in
            try connection.run(
                """
                DECLARE deliveries CURSOR FOR SELECT \(Self.columns)
                ORDER BY day, domain COLLATE "C", delivery.report, position
                """)
            while true {
                let rows = try connection.run("FETCH \(Self.batch) FROM deliveries", [])
                guard rows.count > 0 else { break }
                for row in 0..<rows.count { try each(Self.delivery(rows, row)) }
            }
        }
    }

    /// Forgets the reports of days before one, but not which day was the last.
    public func forget(before day: Int64) throws(SinkError) {
        try connection.transaction { () throws(SinkError) in
            try connection.run(
                """
                DELETE FROM delivery WHERE report IN (SELECT id FROM report WHERE day < \(day));
                DELETE FROM report WHERE day < \(day);
                DELETE FROM reported_day
                    WHERE day < \(day) AND day < (SELECT max(day) FROM reported_day)
                """)
        }
    }

    static func delivery(_ rows: PostgreSQLRows, _ row: Int32) -> Delivery {
        Delivery(
            report: rows.text(row, 0), position: rows.integer(row, 1), day: rows.integer(row, 2),
            domain: rows.text(row, 3), address: rows.text(row, 4),
            state: DeliveryState(rawValue: rows.text(row, 5)) ?? .failed,
            reason: rows.text(row, 6), attempts: Int(rows.integer(row, 7)),
            next: rows.integer(row, 8), created: rows.integer(row, 9))
    }
}
