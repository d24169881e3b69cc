internal import CSQLite
internal import Glibc

/// An open SQLite database.
///
/// Trust: the file is the daemon's own; all values are bound, none is ever part of a statement's text.
@safe
struct Database: ~Copyable {
    private let handle: OpaquePointer

    /// How long to wait for another process that writes, in milliseconds.
    private static let busyTimeout: Int32 = 5_000

    /// What is done with a file.
    enum Access {
        /// It is made where it is not there: for its owner, and for its group to read.
        case make
        /// It is written, if it is there.
        case write
        /// It is only read.
        case read
    }

    /// Opens a file.
    init(path: String, _ access: Access = .make) throws(SinkError) {
        if access == .make { Self.make(path) }
        var handle: OpaquePointer?
        let flags =
            switch access {
            case .make: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .write: SQLITE_OPEN_READWRITE
            case .read: SQLITE_OPEN_READONLY
            }
        let name = access == .read ? Self.unchanging(path) : nil
        let status = unsafe sqlite3_open_v2(
            name ?? path, &handle,
            flags | SQLITE_OPEN_NOMUTEX | (name == nil ? 0 : SQLITE_OPEN_URI), nil)
        guard status == SQLITE_OK, let handle = unsafe handle else {
            let reason = unsafe String(cString: sqlite3_errstr(status))
            unsafe sqlite3_close(handle)
            throw SinkError("\(path): \(reason)")
        }
        unsafe self.handle = unsafe handle
        unsafe sqlite3_busy_timeout(handle, Self.busyTimeout)
    }

    /// The URI of a file on a disk that nobody can write, and which nobody has left open; nil for others.
    ///
    /// To read a database with a write-ahead log SQLite makes files beside it, unless it knows that nothing changes.
    private static func unchanging(_ path: String) -> String? {
        var system = statvfs()
        guard unsafe statvfs(path, &system) == 0, system.f_flag & UInt(ST_RDONLY) != 0,
            unsafe access("\(path)-wal", F_OK) != 0, errno == ENOENT
        else { return nil }
        let digits = Array("0123456789ABCDEF".utf8)
        var octets: [UInt8] = []
        for octet in path.utf8 {
            // RFC 3986, section 2.1; the rest of the name is as it is.
            if "%?#".utf8.contains(octet) {
                octets += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            } else {
                octets.append(octet)
            }
        }
        return "file:\(String(decoding: octets, as: UTF8.self))?immutable=1"
    }

    /// Makes an empty file, which SQLite takes for an empty database; SQLite itself would let everybody read it.
    ///
    /// What root makes belongs to whom the directory does, so that a daemon or unit can use it; SQLite gives its other files the
    /// owner of this one. A file that is there is not touched: closing it would take away the locks of other connections of this
    /// process.
    private static func make(_ path: String) {
        let mode: mode_t = 0o640
        let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { return }
        fchmod(file, mode)
        FileOwner.give(file, toOwnerAround: path)
        close(file)
    }

    // Statements that are left go with it, whichever is first: that is what "v2" is about.
    deinit { unsafe sqlite3_close_v2(handle) }

    /// Runs statements that have no values.
    func run(_ text: String) throws(SinkError) {
        guard unsafe sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK else { throw error }
    }

    /// Compiles a statement that is run again and again.
    func prepared(_ text: String) throws(SinkError) -> Statement {
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let status = unsafe sqlite3_prepare_v3(handle, text, -1, flags, &statement, nil)
        guard status == SQLITE_OK, let statement = unsafe statement else { throw error }
        return unsafe Statement(taking: statement)
    }

    /// Runs a statement with its values, in the order of its parameters.
    func run(
        _ statement: Statement, _ bind: (inout Statement.Values) -> Void
    ) throws(SinkError) {
        try rows(statement, bind) { _ in }
    }

    /// Runs a statement with its values, and hands over each row.
    func rows(
        _ statement: Statement, _ bind: (inout Statement.Values) -> Void,
        _ each: (Statement) throws(SinkError) -> Void
    ) throws(SinkError) {
        var values = Statement.Values(of: statement)
        bind(&values)
        defer { statement.reset() }
        guard !values.haveFailed else { throw error }
        while try step(statement) { try each(statement) }
    }

    /// Runs a statement once, and gives the first column of its first row.
    func first(_ text: String) throws(SinkError) -> Int64? { try first(try prepared(text)) }

    /// Runs a statement without values, and gives the first column of its first row.
    func first(_ statement: Statement) throws(SinkError) -> Int64? {
        defer { statement.reset() }
        return try step(statement) ? statement.integer(0) : nil
    }

    private func step(_ statement: Statement) throws(SinkError) -> Bool {
        do { return try statement.step() } catch { throw self.error }
    }

    /// The number of the last row that was inserted.
    var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

    /// How many rows the last statement changed.
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

        /// The next value: text.
        mutating func add(_ text: String) {
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

        /// The next value: 1 or 0.
        mutating func add(_ flag: Bool) { add(flag ? 1 : 0) }

        private mutating func next() -> Int32 {
            count += 1
            return count
        }

        private mutating func note(_ status: Int32) {
            if status != SQLITE_OK { haveFailed = true }
        }
    }

    /// Runs it, or goes on with it, and tells whether there is a row.
    func step() throws(Failure) -> Bool {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw Failure()
        }
    }

    /// A column of the row as a number; 0 where it is none.
    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    /// A column of the row as text; empty where it is NULL.
    func text(_ column: Int32) -> String {
        guard let octets = unsafe sqlite3_column_text(handle, column) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(handle, column))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: octets, count: count), as: UTF8.self)
    }

    /// Makes it ready for the next run, whose values take the place of these.
    func reset() { unsafe sqlite3_reset(handle) }
}
