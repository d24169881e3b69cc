/// The removal of what no kept day has used: a walk through the tables, a bit at a time.
struct StoreSweep {
    private let oldestDay: Int64
    private var table = 0
    private var last: Int64 = 0

    /// What refers to others goes before them.
    private static let tables = ["verdict", "policy", "result_list", "reason_list", "name"]
    /// How many counted groups are deleted, and how many values are looked at, at once: some milliseconds of work.
    private static let batch: Int64 = 500

    /// A walk that keeps this day and those after it.
    init(keepingFrom oldestDay: Int64) { self.oldestDay = oldestDay }

    /// Deletes some counts of days that are not kept.
    ///
    /// - Returns: whether there may be more.
    static func deleteCounts(
        before day: Int64, in database: borrowing Database
    ) throws(SinkError) -> Bool {
        try database.run("DELETE FROM other WHERE day < \(day)")
        try database.run(
            """
            DELETE FROM message_count WHERE (day, policy, source, verdict) IN
                (SELECT day, policy, source, verdict FROM message_count WHERE day < \(day)
                LIMIT \(batch))
            """)
        return database.changes == batch
    }

    /// Goes a step further.
    ///
    /// - Returns: whether there are more.
    mutating func step(in connection: StoreConnection) throws(SinkError) -> Bool {
        guard table < Self.tables.count else { return false }
        let name = Self.tables[table]
        connection.forget()
        let end = last + Self.batch
        let old = "id > \(last) AND id <= \(end) AND last_day < \(oldestDay)"
        try connection.database.run("BEGIN IMMEDIATE")
        if name == "result_list" {
            try connection.database.run(
                "DELETE FROM result WHERE list IN (SELECT id FROM result_list WHERE \(old))")
        }
        try connection.database.run("DELETE FROM \(name) WHERE \(old)")
        let next = try connection.database.first("SELECT min(id) FROM \(name) WHERE id > \(end)")
        try connection.database.run("COMMIT")
        if let next, next > 0 {
            last = next - 1
        } else {
            (table, last) = (table + 1, 0)
        }
        return true
    }
}
