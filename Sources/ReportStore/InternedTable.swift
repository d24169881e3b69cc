/// A table that keeps each of its values once, with a number, and with the last day on which it was used.
struct InternedTable {
    private let selection: Statement
    private let insertion: Statement
    private let renewal: Statement

    /// Compiles the statements for a table whose rows differ in these columns.
    init(
        _ database: borrowing Database, _ table: String, _ columns: [String] = ["value"]
    ) throws(SinkError) {
        let conditions = columns.map { "\($0) = ?" }.joined(separator: " AND ")
        let names = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        selection = try database.prepared("SELECT id, last_day FROM \(table) WHERE \(conditions)")
        insertion = try database.prepared(
            "INSERT INTO \(table) (\(names), last_day) VALUES (\(marks), ?)")
        renewal = try database.prepared("UPDATE \(table) SET last_day = ? WHERE id = ?")
    }

    /// The number of a value that is used on a day, and whether it is new.
    ///
    /// - Parameters:
    ///   - database: the store.
    ///   - day: the day, in days since 1970.
    ///   - mayGrow: whether a value that is not there may be added.
    ///   - bind: gives the values of the columns.
    /// - Returns: nil where it is not there and may not be added.
    /// - Throws: what SQLite says.
    func number(
        in database: borrowing Database, on day: Int64, mayGrow: Bool,
        _ bind: (inout Statement.Values) -> Void
    ) throws(SinkError) -> (id: Int64, isNew: Bool)? {
        var found: (id: Int64, lastDay: Int64)?
        try database.rows(selection, bind) { row in
            found = (row.integer(0), row.integer(1))
        }
        if let found {
            if found.lastDay < day {
                try database.run(renewal) { values in
                    values.add(day)
                    values.add(found.id)
                }
            }
            return (found.id, false)
        }
        guard mayGrow else { return nil }
        try database.run(insertion) { values in
            bind(&values)
            values.add(day)
        }
        return (database.lastRow, true)
    }
}
