internal import CSQLite

/// An open SQLite database.
///
/// Trust: the file is the daemon's own; all values are bound, none is ever part of a statement's text.
@safe
struct Database: ~Copyable {
    private let handle: OpaquePointer
    /// Statements that are run again and again, ready for the next time, by their text.
    private var prepared: [String: Statement] = [:]

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

    // Statements that are left go with it, whichever is first: that is what "v2" is about.
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

    /// Runs a statement that is kept for the next time, and gives the first column of its first row.
    @discardableResult
    mutating func run(_ text: String, _ values: [Value]) throws(SinkError) -> Int64? {
        let statement: Statement
        if let known = prepared[text] {
            statement = known
        } else {
            statement = try prepare(text)
            prepared[text] = statement
        }
        defer { statement.reset() }
        for (index, value) in values.enumerated() {
            guard statement.bind(value, at: Int32(index + 1)) else { throw error }
        }
        return try step(statement)
    }

    /// Runs a statement once, and gives the first column of its first row.
    func first(_ text: String) throws(SinkError) -> Int64? { try step(try prepare(text)) }

    private func prepare(_ text: String) throws(SinkError) -> Statement {
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let status = unsafe sqlite3_prepare_v3(handle, text, -1, flags, &statement, nil)
        guard status == SQLITE_OK, let statement = unsafe statement else { throw error }
        return unsafe Statement(taking: statement)
    }

    private func step(_ statement: Statement) throws(SinkError) -> Int64? {
        do { return try statement.step() } catch { throw self.error }
    }

    /// The number of the last row that was inserted.
    var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// How many rows the last statement changed, without those that went with them.
    var changes: Int { unsafe Int(sqlite3_changes(handle)) }

    private var error: SinkError { unsafe SinkError(String(cString: sqlite3_errmsg(handle))) }
}

/// A statement that SQLite has compiled.
@safe
private final class Statement {
    private let handle: OpaquePointer

    struct Failure: Error {}

    /// Takes over a handle.
    @unsafe init(taking handle: OpaquePointer) { unsafe self.handle = unsafe handle }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Gives a parameter its value; false where that does not succeed.
    func bind(_ value: Database.Value, at place: Int32) -> Bool {
        let status =
            switch value {
            case .text(nil): unsafe sqlite3_bind_null(handle, place)
            case .text(let text?):
                unsafe signet_sqlite_bind_text(
                    handle, place, text, Int32(clamping: text.utf8.count))
            case .integer(let number): unsafe sqlite3_bind_int64(handle, place, number)
            case .flag(let flag): unsafe sqlite3_bind_int(handle, place, flag ? 1 : 0)
            }
        return status == SQLITE_OK
    }

    /// Runs it, and gives the first column of its first row.
    func step() throws(Failure) -> Int64? {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return unsafe sqlite3_column_int64(handle, 0)
        case SQLITE_DONE: return nil
        default: throw Failure()
        }
    }

    /// Makes it ready for the next run.
    func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }
}
