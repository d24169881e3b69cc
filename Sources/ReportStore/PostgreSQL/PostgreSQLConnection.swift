internal import CPostgreSQL
internal import Glibc

/// A connection to a PostgreSQL server.
///
/// Trust: all values are parameters, none is ever part of a statement's text. What the server or
/// libpq says about a failure has no password in it.
@safe
final class PostgreSQLConnection {
    private let handle: OpaquePointer

    /// What holds unless the address says otherwise: a server that is away or dead is noticed.
    private static let defaults: [(String, String)] = [
        ("application_name", "signet-dmarc"), ("client_encoding", "UTF8"),
        ("connect_timeout", "10"), ("tcp_user_timeout", "30000"), ("keepalives_idle", "60"),
        ("keepalives_interval", "10"), ("keepalives_count", "3"),
    ]
    /// How long a statement may take, in milliseconds.
    private static let patience = 60_000

    /// Connects.
    ///
    /// - Parameter address: a URI or a list of settings, as libpq reads them.
    /// - Throws: why there is no connection.
    init(_ address: String) throws(SinkError) {
        // What comes later holds: the address is expanded after our settings.
        let settings = Self.defaults + [("dbname", address)]
        var keys = unsafe settings.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
        var values = unsafe settings.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
        defer {
            unsafe (keys + values).forEach { unsafe free(UnsafeMutableRawPointer(mutating: $0)) }
        }
        guard let handle = unsafe PQconnectdbParams(&keys, &values, 1) else {
            throw SinkError("PostgreSQL: no memory")
        }
        unsafe self.handle = unsafe handle
        guard unsafe PQstatus(handle) == CONNECTION_OK else { throw error }
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try run("SET statement_timeout = \(Self.patience)")
    }

    deinit { unsafe PQfinish(handle) }

    /// Runs statements that have no values.
    func run(_ text: String) throws(SinkError) {
        _ = try unsafe PostgreSQLRows(taking: PQexec(handle, text), of: self)
    }

    /// Runs a statement with its values: nil is NULL.
    @discardableResult
    func run(_ text: String, _ values: [String?]) throws(SinkError) -> PostgreSQLRows {
        var texts = unsafe values.map { value in
            unsafe value.map { unsafe UnsafePointer<CChar>(strdup($0)) } ?? nil
        }
        defer {
            unsafe texts.forEach { unsafe free(UnsafeMutableRawPointer(mutating: $0)) }
        }
        let result = unsafe PQexecParams(
            handle, text, Int32(clamping: values.count), nil, &texts, nil, nil, 0)
        return try unsafe PostgreSQLRows(taking: result, of: self)
    }

    /// Runs statements in a transaction, which is undone where one fails.
    func transaction(
        _ beginning: String = "BEGIN", _ body: () throws(SinkError) -> Void
    ) throws(SinkError) {
        try run(beginning)
        do {
            try body()
            try run("COMMIT")
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    /// What libpq says, in one line.
    var error: SinkError {
        let text = unsafe String(cString: PQerrorMessage(handle))
        let lines = text.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        return SinkError("PostgreSQL: \(lines.joined(separator: "; "))")
    }
}

/// What a statement has found.
@safe
final class PostgreSQLRows {
    private let handle: OpaquePointer
    /// How many rows there are.
    let count: Int32

    /// Takes over a result.
    ///
    /// - Throws: what the server says, where the statement failed.
    @unsafe init(
        taking handle: OpaquePointer?, of connection: PostgreSQLConnection
    ) throws(SinkError) {
        guard let handle = unsafe handle else { throw connection.error }
        let status = unsafe PQresultStatus(handle)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
            unsafe PQclear(handle)
            throw connection.error
        }
        unsafe self.handle = unsafe handle
        count = unsafe PQntuples(handle)
    }

    deinit { unsafe PQclear(handle) }

    /// How many rows the statement has changed.
    var changes: Int { Int(unsafe String(cString: PQcmdTuples(handle))) ?? 0 }

    /// A field as text; empty where it is NULL.
    func text(_ row: Int32, _ column: Int32) -> String {
        guard let text = unsafe PQgetvalue(handle, row, column) else { return "" }
        return unsafe String(cString: text)
    }

    /// A field as text; nil where it is empty.
    func optional(_ row: Int32, _ column: Int32) -> String? {
        let text = text(row, column)
        return text.isEmpty ? nil : text
    }

    /// A field as a number; 0 where it is none.
    func integer(_ row: Int32, _ column: Int32) -> Int64 { Int64(text(row, column)) ?? 0 }

    /// A field as a yes or no.
    func flag(_ row: Int32, _ column: Int32) -> Bool { text(row, column) == "t" }
}
