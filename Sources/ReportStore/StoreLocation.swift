/// Where the report store is: a file of SQLite's, or a database of PostgreSQL's.
public enum StoreLocation: Hashable, Sendable {
    /// A file, by its absolute path.
    case file(String)
    /// A database, by a URI or settings as libpq reads them.
    case postgreSQL(String)

    /// Where evaluations wait for a database that is away.
    private static let waitingForDatabase = "/var/lib/signet-dmarc/evaluations.waiting"

    /// Reads the value of ReportStore; nil where it is neither an absolute path nor an address.
    public init?(_ text: String) {
        if ["postgresql://", "postgres://", "service="].contains(where: text.hasPrefix) {
            self = .postgreSQL(text)
        } else if text.hasPrefix("/") {
            self = .file(text)
        } else {
            return nil
        }
    }

    /// Whether an address has a password in it, which would be in a file that everybody may read.
    public var hasPassword: Bool {
        guard case .postgreSQL(let address) = self else { return false }
        if address.contains("password=") { return true }
        guard let start = address.firstRange(of: "://")?.upperBound,
            let at = address[start...].firstIndex(of: "@")
        else { return false }
        return address[start..<at].contains(":")
    }

    /// The file in which evaluations wait for the store.
    public var waiting: String {
        switch self {
        case .file(let path): "\(path).waiting"
        case .postgreSQL: Self.waitingForDatabase
        }
    }

    /// The store; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - days: how many whole days are kept besides today; nil for all.
    ///   - limit: how large the contents may become, in octets.
    /// - Returns: the store.
    public func store(
        keepingDays days: Int? = nil, limit: Int64 = SQLiteReportStore.defaultLimit
    ) -> any ReportStore {
        switch self {
        case .file(let path): SQLiteReportStore(path: path, keepingDays: days, limit: limit)
        case .postgreSQL(let address):
            PostgreSQLReportStore(address: address, keepingDays: days, limit: limit)
        }
    }

    /// The reports on their way out of the store.
    ///
    /// - Parameter isReadOnly: whether nothing is to be changed.
    /// - Returns: the outbox.
    /// - Throws: why it cannot be opened.
    public func outbox(isReadOnly: Bool = false) throws(SinkError) -> any ReportOutbox {
        switch self {
        case .file(let path): try SQLiteReportOutbox(path: path, isReadOnly: isReadOnly)
        case .postgreSQL(let address): try PostgreSQLReportOutbox(address: address)
        }
    }
}
