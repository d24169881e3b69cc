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

    // Statements that are left go with it, whichever is first: that is what "v2" is about.
    deinit { unsafe sqlite3_close_v2(handle) }

    /// Runs statements that have no values.
    func run(_ text: String) throws(SinkError) {
        guard unsafe sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else { throw error }
    }

    /// Compiles a statement that is run again and again.
    func prepared(_ text: String) throws(SinkError) -> Statement { try prepare(text) }

    /// Runs a statement with its values, in the order of its parameters.
    func run(
        _ statement: Statement, _ bind: (inout Statement.Values) -> Void
    ) throws(SinkError) {
        var values = Statement.Values(of: statement)
        bind(&values)
        defer { statement.reset() }
        guard !values.haveFailed else { throw error }
        _ = try step(statement)
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
final class Statement {
    private let handle: OpaquePointer

    struct Failure: Error {}

    /// Takes over a handle.
    @unsafe init(taking handle: OpaquePointer) { unsafe self.handle = unsafe handle }

    deinit { unsafe sqlite3_finalize(handle) }

    /// The values of the parameters, from the first to the last.
    struct Values {
        private let statement: Statement
        private var count: Int32 = 0
        /// Whether SQLite would not take one of them.
        private(set) var haveFailed = false

        init(of statement: Statement) { self.statement = statement }

        /// The next value: text, or NULL.
        mutating func add(_ text: String?) {
            guard let text else { return addNull() }
            let (octets, place) = (text.utf8.span, next())
            let status = unsafe octets.withUnsafeBufferPointer { octets in
                unsafe signet_sqlite_bind_text(
                    statement.handle, place, octets.baseAddress, Int32(clamping: octets.count))
            }
            note(status)
        }

        /// The next value: a number.
        mutating func add(_ number: Int64) {
            note(unsafe sqlite3_bind_int64(statement.handle, next(), number))
        }

        /// The next value: 1, 0, or NULL.
        mutating func add(_ flag: Bool?) {
            guard let flag else { return addNull() }
            note(unsafe sqlite3_bind_int(statement.handle, next(), flag ? 1 : 0))
        }

        private mutating func addNull() {
            note(unsafe sqlite3_bind_null(statement.handle, next()))
        }

        private mutating func next() -> Int32 {
            count += 1
            return count
        }

        private mutating func note(_ status: Int32) {
            if status != SQLITE_OK { haveFailed = true }
        }
    }

    /// Runs it, and gives the first column of its first row.
    func step() throws(Failure) -> Int64? {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return unsafe sqlite3_column_int64(handle, 0)
        case SQLITE_DONE: return nil
        default: throw Failure()
        }
    }

    /// Makes it ready for the next run, whose values take the place of these.
    func reset() { unsafe sqlite3_reset(handle) }
}
