internal import CSQLite

/// An open SQLite database.
///
/// Trust: the file is the daemon's own; all values are bound, none is ever part of a statement's text.
@safe
struct Database: ~Copyable {
    private let handle: OpaquePointer

    /// How long to wait for another process that writes, in milliseconds.
    private static let patience: Int32 = 5_000

    /// Opens a file, or makes it.
    init(path: String) throws(SinkError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let status = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let handle = unsafe handle else {
            let reason = unsafe String(cString: sqlite3_errstr(status))
            unsafe sqlite3_close(handle)
            throw SinkError("\(path): \(reason)")
        }
        unsafe self.handle = unsafe handle
        unsafe sqlite3_busy_timeout(handle, Self.patience)
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    /// Runs statements that have no values.
    func run(_ text: String) throws(SinkError) {
        guard unsafe sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else { throw error }
    }

    /// A value of a statement.
    enum Value {
        case text(String?)
        case integer(Int64)
        case flag(Bool)
    }

    /// Runs a statement with values.
    func run(_ text: String, _ values: [Value]) throws(SinkError) {
        _ = try first(text, values)
    }

    /// Runs a statement with values, and gives the first column of its first row.
    func first(_ text: String, _ values: [Value] = []) throws(SinkError) -> Int64? {
        var statement: OpaquePointer?
        guard unsafe sqlite3_prepare_v2(handle, text, -1, &statement, nil) == SQLITE_OK else {
            throw error
        }
        defer { unsafe sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let status =
                switch value {
                case .text(nil): unsafe sqlite3_bind_null(statement, place)
                case .text(let text?):
                    unsafe signet_sqlite_bind_text(
                        statement, place, text, Int32(clamping: text.utf8.count))
                case .integer(let number): unsafe sqlite3_bind_int64(statement, place, number)
                case .flag(let flag): unsafe sqlite3_bind_int(statement, place, flag ? 1 : 0)
                }
            guard status == SQLITE_OK else { throw error }
        }
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: return unsafe sqlite3_column_int64(statement, 0)
        case SQLITE_DONE: return nil
        default: throw error
        }
    }

    /// The number of the last row that was inserted.
    var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    private var error: SinkError { unsafe SinkError(String(cString: sqlite3_errmsg(handle))) }
}
