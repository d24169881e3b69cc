/// Destinations that do not take reports, as all hosts have found out.
extension PostgreSQLReportOutbox {
    /// The key of the addresses that bounces come back to: random, and made with the first use.
    public func bounceKey() throws(SinkError) -> String {
        try connection.run(
            """
            INSERT INTO secret VALUES ('bounces', replace(gen_random_uuid()::text, '-', ''))
            ON CONFLICT DO NOTHING
            """)
        let rows = try connection.run("SELECT value FROM secret WHERE name = 'bounces'", [])
        return rows.count == 1 ? rows.text(0, 0) : ""
    }

    /// The deliveries of reports whose id begins with these characters.
    public func deliveries(
        ofReportsBeginning prefix: String
    ) throws(SinkError) -> [Delivery] {
        let rows = try connection.run(
            """
            SELECT \(Self.columns) WHERE starts_with(delivery.report, $1)
            ORDER BY delivery.report COLLATE "C", position
            """, [prefix])
        return (0..<rows.count).map { Self.delivery(rows, $0) }
    }

    /// What is known of an address that has bounced; nil where it has not.
    public func bounces(of address: String) throws(SinkError) -> BouncedDestination? {
        let rows = try connection.run(
            "SELECT \(Self.destinationColumns) FROM bounced_destination WHERE address = $1",
            [address])
        return rows.count == 1 ? Self.destination(rows, 0) : nil
    }

    /// Keeps what is known of an address, and that a delivery to it has failed: both or none.
    public func add(
        _ destination: BouncedDestination, of delivery: Delivery
    ) throws(SinkError) {
        let reason = BoundedText.line(destination.reason, atMost: Self.reasonLimit)
        try connection.transaction { () throws(SinkError) in
            try connection.run(
                """
                INSERT INTO bounced_destination VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (address) DO UPDATE SET permanent = excluded.permanent,
                    bounces = excluded.bounces, last = excluded.last, until = excluded.until,
                    reason = excluded.reason
                """,
                [
                    destination.address, destination.isPermanent ? "t" : "f",
                    String(destination.bounces), String(destination.last),
                    String(destination.until), reason,
                ])
            try connection.run(
                "UPDATE delivery SET state = $1, reason = $2 WHERE report = $3 AND position = $4",
                [
                    DeliveryState.failed.rawValue, reason, delivery.report,
                    String(delivery.position),
                ])
        }
    }

    /// The addresses that have bounced, in the order of their names.
    public func bouncedDestinations() throws(SinkError) -> [BouncedDestination] {
        let rows = try connection.run(
            """
            SELECT \(Self.destinationColumns) FROM bounced_destination
            ORDER BY address COLLATE "C"
            """, [])
        return (0..<rows.count).map { Self.destination(rows, $0) }
    }

    /// Forgets that an address has bounced.
    public func forgetBounces(of address: String) throws(SinkError) -> Bool {
        try connection.run("DELETE FROM bounced_destination WHERE address = $1", [address])
            .changes > 0
    }

    private static let destinationColumns = "address, permanent, bounces, last, until, reason"

    private static func destination(_ rows: PostgreSQLRows, _ row: Int32) -> BouncedDestination {
        BouncedDestination(
            address: rows.text(row, 0), isPermanent: rows.flag(row, 1),
            bounces: Int(clamping: rows.integer(row, 2)), last: rows.integer(row, 3),
            until: rows.integer(row, 4), reason: rows.text(row, 5))
    }
}
