/// Destinations that do not take reports.
extension SQLiteReportOutbox {
    /// The key of the addresses that bounces come back to: random, and made with the first use.
    public func bounceKey() throws(SinkError) -> String {
        try database.run(
            "INSERT OR IGNORE INTO secret VALUES ('bounces', lower(hex(randomblob(16))))")
        var key = ""
        let statement = try database.prepared("SELECT value FROM secret WHERE name = 'bounces'")
        try database.rows(statement, { _ in }) { key = $0.text(0) }
        return key
    }

    /// The deliveries of reports whose id begins with these characters.
    public func deliveries(
        ofReportsBeginning prefix: String
    ) throws(SinkError) -> [Delivery] {
        let statement = try database.prepared(
            """
            SELECT \(Self.columns) WHERE delivery.report >= ?1 AND delivery.report < ?1 || '~'
            ORDER BY delivery.report, position
            """)
        var found: [Delivery] = []
        try database.rows(statement, { $0.add(prefix) }) { found.append(Self.delivery($0)) }
        return found
    }

    /// What is known of an address that has bounced; nil where it has not.
    public func bounces(of address: String) throws(SinkError) -> BouncedDestination? {
        let statement = try database.prepared(
            "SELECT \(Self.destinationColumns) FROM bounced_destination WHERE address = ?")
        var found: BouncedDestination?
        try database.rows(statement, { $0.add(address) }) { found = Self.destination($0) }
        return found
    }

    /// Keeps what is known of an address, and that a delivery to it has failed: both or none.
    public func add(
        _ destination: BouncedDestination, of delivery: Delivery
    ) throws(SinkError) {
        let reason = BoundedText.line(destination.reason, atMost: Self.reasonLimit)
        let keeping = try database.prepared(
            "INSERT OR REPLACE INTO bounced_destination VALUES (?, ?, ?, ?, ?, ?)")
        let failing = try database.prepared(
            "UPDATE delivery SET state = ?, reason = ? WHERE report = ? AND position = ?")
        try transaction { () throws(SinkError) in
            try database.run(keeping) { values in
                values.add(destination.address)
                values.add(destination.isPermanent)
                values.add(Int64(destination.bounces))
                values.add(destination.last)
                values.add(destination.until)
                values.add(reason)
            }
            try database.run(failing) { values in
                values.add(DeliveryState.failed.rawValue)
                values.add(reason)
                values.add(delivery.report)
                values.add(delivery.position)
            }
        }
    }

    /// The addresses that have bounced, in the order of their names.
    public func bouncedDestinations() throws(SinkError) -> [BouncedDestination] {
        let statement = try database.prepared(
            "SELECT \(Self.destinationColumns) FROM bounced_destination ORDER BY address")
        var found: [BouncedDestination] = []
        try database.rows(statement, { _ in }) { found.append(Self.destination($0)) }
        return found
    }

    /// Forgets that an address has bounced.
    public func forgetBounces(of address: String) throws(SinkError) -> Bool {
        let statement = try database.prepared(
            "DELETE FROM bounced_destination WHERE address = ?")
        try database.run(statement) { $0.add(address) }
        return database.changes > 0
    }

    private static let destinationColumns = "address, permanent, bounces, last, until, reason"

    private static func destination(_ row: Statement) -> BouncedDestination {
        BouncedDestination(
            address: row.text(0), isPermanent: row.integer(1) != 0,
            bounces: Int(clamping: row.integer(2)), last: row.integer(3), until: row.integer(4),
            reason: row.text(5))
    }
}
