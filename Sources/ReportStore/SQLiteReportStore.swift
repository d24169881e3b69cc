internal import Glibc

/// The report store in a file of SQLite's.
///
/// Opened when there is something to write, and anew after each failure and after the file was moved away or deleted. Days that are
/// older than the retention are deleted bit by bit; the room is used again. A file that has come to its limit takes no new groups:
/// messages of groups that it has are still counted there, all others as others of their day.
public final class SQLiteReportStore: ReportStore {
    private let path: String
    private let retention: Int64?
    private let limit: Int64
    private let now: () -> Int64
    private var connection: StoreConnection?
    /// What was opened: where another file has its name, writing to this one would be for nobody.
    private var opened: FileIdentity?
    private var room: Statement?
    private var versionOne: VersionOneMessages?
    private var reader: StoreReader?
    /// How much the file may hold, in octets: while it has messages of version 1, they are not counted.
    private var bound: Int64 = 0
    private var sweep: StoreSweep?
    private var nextTidying: Int64 = 0
    private var notice = OthersNotice()
    /// What was found at opening, and is not told yet.
    private var remarks: [String] = []

    /// The limit where none is given: a gigabyte.
    public static let defaultLimit: Int64 = 1 << 30
    /// How often to look for what is too old, in seconds.
    private static let period: Int64 = 3600
    /// The largest contents, in octets, that are copied to give room back.
    private static let copyLimit: Int64 = 100 << 20

    /// The store at this path; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - days: how many whole days are kept besides today; nil for all.
    ///   - limit: how large the contents may become, in octets.
    ///   - now: the time in seconds since 1970; the system's, if not given.
    public init(
        path: String, keepingDays days: Int? = nil, limit: Int64 = defaultLimit,
        now: (() -> Int64)? = nil
    ) {
        self.path = path
        self.limit = limit
        self.now = now ?? { Int64(time(nil)) }
        retention = days.map { Int64($0) }
    }

    /// Counts all evaluations.
    public func write(_ evaluations: [Evaluation]) throws(SinkError) {
        if opened != FileIdentity(of: path) { close() }
        do {
            try open()
            guard let connection else { return }
            try connection.database.run("BEGIN IMMEDIATE")
            let leftOut = try connection.count(evaluations) { () throws(SinkError) in
                try isBelowBound()
            }
            try connection.database.run("COMMIT")
            notice.add(leftOut)
        } catch {
            close()
            throw error
        }
    }

    /// Counts some messages of version 1, or deletes some of what is too old, if the store is open.
    public func tidy() throws(SinkError) -> Bool {
        guard connection != nil else { return false }
        do {
            if versionOne != nil { return try moveVersionOne() }
            return try deleteOld()
        } catch {
            close()
            throw error
        }
    }

    /// That messages are left out, once a minute; that files were open to others, once.
    public func notices() -> [String] {
        defer { remarks = [] }
        return remarks + notice.lines(at: now())
    }

    private func open() throws(SinkError) {
        guard connection == nil else { return }
        if let line = StoreFileMode.tighten(path) { remarks.append(line) }
        let connection = try StoreConnection(path: path)
        let room = try connection.database.prepared(
            """
            SELECT (page_count - freelist_count) * page_size
            FROM pragma_page_count, pragma_freelist_count, pragma_page_size
            """)
        versionOne = try VersionOneMessages(in: connection.database)
        bound = limit
        if versionOne != nil { bound += try connection.database.first(room) ?? 0 }
        self.room = room
        self.connection = connection
        opened = FileIdentity(of: path)
    }

    private func close() {
        room = nil
        versionOne = nil
        sweep = nil
        opened = nil
        connection = nil
    }

    private func isBelowBound() throws(SinkError) -> Bool {
        guard let connection, let room else { return false }
        return try connection.database.first(room) ?? 0 < bound
    }

    /// Counts some messages of version 1.
    private func moveVersionOne() throws(SinkError) -> Bool {
        guard let versionOne, let connection else { return false }
        let isMore = try versionOne.move(in: connection.database) {
            evaluations throws(SinkError) in
            let leftOut = try connection.count(evaluations) { () throws(SinkError) in
                try isBelowBound()
            }
            notice.add(leftOut)
        }
        if !isMore {
            self.versionOne = nil
            bound = limit
        }
        return true
    }

    /// Deletes some of what is older than the retention, if an hour has passed.
    private func deleteOld() throws(SinkError) -> Bool {
        let now = now()
        guard now >= nextTidying, let connection else { return false }
        if let retention {
            let oldest = now / 86_400 - retention
            if sweep == nil {
                if try StoreSweep.deleteCounts(before: oldest, in: connection.database) {
                    return true
                }
                sweep = StoreSweep(keepingFrom: oldest)
            }
            if try sweep?.step(in: connection) == true { return true }
            sweep = nil
        }
        giveRoomBack(in: connection)
        nextTidying = now + Self.period
        return false
    }

    /// Makes the file small again where most of it is empty; what does not work now may work in an hour.
    private func giveRoomBack(in connection: StoreConnection) {
        let isWorthIt = try? connection.database.first(
            """
            SELECT page_count > 4096 AND freelist_count * 2 > page_count
                AND (page_count - freelist_count) * page_size < \(Self.copyLimit)
            FROM pragma_page_count, pragma_freelist_count, pragma_page_size
            """)
        if isWorthIt == 1 { try? connection.database.run("VACUUM") }
    }
}

extension SQLiteReportStore {
    /// The policies under which mail was evaluated on a day, in the order of their domains' names.
    public func policies(on day: Int64) throws(SinkError) -> [PublishedPolicy] {
        try reading().policies(on: day)
    }

    /// Hands over what was counted under a policy on a day.
    public func counts(
        under policy: PublishedPolicy, on day: Int64,
        _ each: (EvaluationCount) throws(SinkError) -> Void
    ) throws(SinkError) {
        try reading().counts(under: policy.id, on: day, each)
    }

    /// How many messages of a day were left out.
    public func others(on day: Int64) throws(SinkError) -> Int64 {
        try reading().others(on: day)
    }

    private func reading() throws(SinkError) -> StoreReader {
        if let reader { return reader }
        let opened = try StoreReader(path: path)
        reader = opened
        return opened
    }
}
