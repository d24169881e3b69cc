/// A value of a statement.
enum SQLValue {
    case text(String)
    case integer(Int64)
}

/// A row that a statement has found.
protocol SQLRow {
    /// A column as text; empty where it is NULL.
    func text(_ column: Int32) -> String
    /// A column as a number; 0 where it is none.
    func integer(_ column: Int32) -> Int64
}

/// What both databases understand: statements whose parameters are $1, $2 and so on, each first used in this order.
///
/// All values are parameters; none is ever part of a statement's text.
protocol ReceivedSQL: AnyObject {
    /// Runs a statement.
    func run(_ text: String, _ values: [SQLValue]) throws(SinkError)

    /// Runs a statement, and hands over each row.
    func rows(
        _ text: String, _ values: [SQLValue], _ each: (any SQLRow) throws(SinkError) -> Void
    ) throws(SinkError)

    /// Runs statements in a transaction, which is durable when this returns, and undone where it throws.
    func transaction(_ body: () throws(SinkError) -> Void) throws(SinkError)

    /// How many octets the database has in use, what is not of received reports included; nil where it cannot tell.
    func octets() throws(SinkError) -> Int64?

    /// Keeps other connections from adding names and verdicts to the end of the transaction.
    func excludeOthers() throws(SinkError)

    /// Adds counts: domain, source, verdict, day, reporter, messages.
    func add(_ counts: [ReceivedCountRow]) throws(SinkError)
}

/// A row of the table of counts.
struct ReceivedCountRow {
    let domain: Int64
    let source: String
    let verdict: Int64
    let day: Int64
    let reporter: Int64
    let messages: Int64
}

extension Statement: SQLRow {}

/// Received reports in a file of SQLite's.
final class SQLiteReceivedSQL: ReceivedSQL {
    private let database: Database
    private var statements: [String: Statement] = [:]

    private static let insertion = """
        INSERT INTO received_count (domain, source, verdict, day, reporter, messages)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (domain, source, verdict, day, reporter)
        DO UPDATE SET messages = messages + excluded.messages
        """

    /// Opens a file; one that is only read has to be there.
    init(path: String, isReadOnly: Bool) throws(SinkError) {
        database = try Database(path: path, isReadOnly ? .read : .make)
        if !isReadOnly {
            // What was imported outlives a crash of the machine: the mail that brought it is gone.
            _ = try database.first("PRAGMA journal_mode = WAL")
            try database.run(
                """
                PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
                PRAGMA journal_size_limit = 8388608
                """)
        }
    }

    func run(_ text: String, _ values: [SQLValue]) throws(SinkError) {
        try rows(text, values) { _ in }
    }

    /// Runs statements without values.
    func script(_ text: String) throws(SinkError) { try database.run(text) }

    func rows(
        _ text: String, _ values: [SQLValue], _ each: (any SQLRow) throws(SinkError) -> Void
    ) throws(SinkError) {
        let statement = try prepared(text)
        try database.rows(
            statement,
            { list in
                for value in values {
                    switch value {
                    case .text(let text): list.add(text)
                    case .integer(let number): list.add(number)
                    }
                }
            }, { row throws(SinkError) in try each(row) })
    }

    func transaction(_ body: () throws(SinkError) -> Void) throws(SinkError) {
        try database.run("BEGIN IMMEDIATE")
        do throws(SinkError) {
            try body()
            try database.run("COMMIT")
        } catch {
            try? database.run("ROLLBACK")
            throw error
        }
    }

    func octets() throws(SinkError) -> Int64? {
        try database.first(
            """
            SELECT (page_count - freelist_count) * page_size
            FROM pragma_page_count, pragma_freelist_count, pragma_page_size
            """)
    }

    /// BEGIN IMMEDIATE has done so.
    func excludeOthers() {}

    func add(_ counts: [ReceivedCountRow]) throws(SinkError) {
        let statement = try prepared(Self.insertion)
        for count in counts {
            try database.run(statement) { list in
                list.add(count.domain)
                list.add(count.source)
                list.add(count.verdict)
                list.add(count.day)
                list.add(count.reporter)
                list.add(count.messages)
            }
        }
    }

    private func prepared(_ text: String) throws(SinkError) -> Statement {
        if let known = statements[text] { return known }
        let statement = try database.prepared(text)
        statements[text] = statement
        return statement
    }
}

/// Received reports in PostgreSQL.
final class PostgreSQLReceivedSQL: ReceivedSQL {
    private let connection: PostgreSQLConnection
    private var isInTransaction = false

    /// A row of a result.
    private struct Row: SQLRow {
        let rows: PostgreSQLRows
        let number: Int32

        func text(_ column: Int32) -> String { rows.text(number, column) }
        func integer(_ column: Int32) -> Int64 { rows.integer(number, column) }
    }

    /// How many rows are read at once.
    private static let batch = 2000

    /// Connects.
    init(address: String) throws(SinkError) { connection = try PostgreSQLConnection(address) }

    func run(_ text: String, _ values: [SQLValue]) throws(SinkError) {
        try connection.run(text, values.map(Self.text))
    }

    /// Runs statements without values.
    func script(_ text: String) throws(SinkError) { try connection.run(text) }

    func rows(
        _ text: String, _ values: [SQLValue], _ each: (any SQLRow) throws(SinkError) -> Void
    ) throws(SinkError) {
        guard !isInTransaction else {
            let rows = try connection.run(text, values.map(Self.text))
            for number in 0..<rows.count { try each(Row(rows: rows, number: number)) }
            return
        }
        try connection.transaction("BEGIN") { () throws(SinkError) in
            try connection.run("DECLARE received CURSOR FOR \(text)", values.map(Self.text))
            while true {
                let rows = try connection.run("FETCH \(Self.batch) FROM received", [])
                guard rows.count > 0 else { break }
                for number in 0..<rows.count { try each(Row(rows: rows, number: number)) }
            }
        }
    }

    func transaction(_ body: () throws(SinkError) -> Void) throws(SinkError) {
        isInTransaction = true
        defer { isInTransaction = false }
        try connection.transaction("BEGIN", body)
    }

    /// What rows leave behind is in use until it is vacuumed, so the size says nothing.
    func octets() -> Int64? { nil }

    func excludeOthers() throws(SinkError) {
        try connection.run("LOCK TABLE received_name, received_verdict IN EXCLUSIVE MODE")
    }

    func add(_ counts: [ReceivedCountRow]) throws(SinkError) {
        guard !counts.isEmpty else { return }
        func array(_ values: [String]) -> String { "{\(values.joined(separator: ","))}" }
        // Rows in the order of the key, so that two hosts that write never wait for each other in a circle.
        let rows = counts.sorted {
            ($0.domain, $0.source, $0.verdict, $0.day, $0.reporter)
                < ($1.domain, $1.source, $1.verdict, $1.day, $1.reporter)
        }
        try connection.run(
            """
            INSERT INTO received_count SELECT domain, source, verdict, day, reporter,
                sum(messages)::bigint
            FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
                $6::bigint[]) AS new (domain, source, verdict, day, reporter, messages)
            GROUP BY domain, source, verdict, day, reporter
            ORDER BY domain, source, verdict, day, reporter
            ON CONFLICT (domain, source, verdict, day, reporter)
            DO UPDATE SET messages = received_count.messages + excluded.messages
            """,
            [
                array(rows.map { String($0.domain) }), array(rows.map { "\"\($0.source)\"" }),
                array(rows.map { String($0.verdict) }), array(rows.map { String($0.day) }),
                array(rows.map { String($0.reporter) }), array(rows.map { String($0.messages) }),
            ])
    }

    private static func text(_ value: SQLValue) -> String? {
        switch value {
        case .text(let text): text
        case .integer(let number): String(number)
        }
    }
}
