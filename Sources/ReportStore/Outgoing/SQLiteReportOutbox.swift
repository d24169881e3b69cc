internal import Glibc

/// The reports on their way out, in the file of a report store.
public final class SQLiteReportOutbox: ReportOutbox {
    private let path: String
    let database: Database
    private let insertion: Statement
    private let destination: Statement
    private let due: Statement
    private let outcome: Statement
    private let leaving: Statement
    private let known: Statement
    private let mail: Statement
    private let all: Statement
    /// The lock on the store's folder; it goes with the process.
    private var lock: Int32 = -1

    static let columns = """
        delivery.report, position, day, domain, address, state, reason, attempts, next, created
        FROM delivery JOIN report ON report.id = delivery.report
        """
    /// For what has become of a delivery, which need not be on the disk at once.
    ///
    /// Whoever loses it sends the same report again. What is to be sent must be there.
    private static let recording = "PRAGMA synchronous = NORMAL"
    private static let keeping = "PRAGMA synchronous = FULL"
    /// The longest reason, in octets.
    static let reasonLimit = 512

    /// Opens the outbox of a store that is there and has the version that is written here.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - isReadOnly: whether nothing is to be changed.
    /// - Throws: why it cannot be opened.
    public init(path: String, isReadOnly: Bool = false) throws(SinkError) {
        self.path = path
        database = try Database(path: path, isReadOnly ? .read : .write)
        try ReportSchema.requireCurrent(database, path: path)
        if !isReadOnly { try database.run(Self.recording) }
        insertion = try database.prepared("INSERT INTO report VALUES (?, ?, ?, ?, ?, ?)")
        destination = try database.prepared(
            "INSERT INTO delivery VALUES (?, ?, ?, ?, ?, 0, ?)")
        due = try database.prepared(
            """
            SELECT \(Self.columns) WHERE state = 'waiting' AND next <= ?
            ORDER BY next, delivery.report, position LIMIT ?
            """)
        outcome = try database.prepared(
            """
            UPDATE delivery SET state = ?, reason = ?, attempts = attempts + 1, next = ?
            WHERE report = ? AND position = ?
            """)
        leaving = try database.prepared(
            """
            UPDATE report SET mail = '' WHERE id = ?1 AND NOT EXISTS
                (SELECT 1 FROM delivery WHERE report = ?1 AND state = 'waiting')
            """)
        known = try database.prepared("SELECT count(*) FROM report WHERE id = ?")
        mail = try database.prepared("SELECT mail FROM report WHERE id = ?")
        all = try database.prepared(
            "SELECT \(Self.columns) ORDER BY day, domain, delivery.report, position")
    }

    deinit { if lock >= 0 { close(lock) } }

    /// Takes the lock on the store's folder: a file of its own would be its maker's, who may be
    /// root.
    public func claim() throws(SinkError) -> Bool {
        guard lock < 0 else { return true }
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else {
            throw unsafe SinkError("\(folder): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return false
        }
        lock = file
        return true
    }

    /// The last day before one of which all reports have been made.
    public func lastDay(before day: Int64) throws(SinkError) -> Int64? {
        let last = try database.first(
            "SELECT coalesce(max(day), -1) FROM reported_day WHERE day < \(day)")
        return last.flatMap { $0 < 0 ? nil : $0 }
    }

    /// Whether a report is there.
    public func has(_ report: String) throws(SinkError) -> Bool {
        var count: Int64 = 0
        try database.rows(known, { $0.add(report) }) { count = $0.integer(0) }
        return count > 0
    }

    /// Keeps reports, all of them or none.
    public func add(_ reports: [OutgoingReport]) throws(SinkError) {
        try database.run(Self.keeping)
        defer { try? database.run(Self.recording) }
        try transaction { () throws(SinkError) in
            for report in reports { try add(report) }
        }
    }

    private func add(_ report: OutgoingReport) throws(SinkError) {
        try database.run(insertion) { values in
            values.add(report.id)
            values.add(report.day)
            values.add(report.domain)
            values.add(report.messages)
            values.add(report.created)
            values.add(report.mail)
        }
        for (position, address) in report.destinations.enumerated() {
            try database.run(destination) { values in
                values.add(report.id)
                values.add(Int64(position))
                values.add(address.address)
                values.add(address.state.rawValue)
                values.add(BoundedText.line(address.reason, atMost: Self.reasonLimit))
                values.add(address.next)
            }
        }
    }

    /// Records that all reports of a day have been made.
    public func finish(_ day: Int64) throws(SinkError) {
        try database.run("INSERT OR IGNORE INTO reported_day VALUES (\(day))")
    }

    /// Takes back that the reports of the days from one on have been made.
    public func reopen(from day: Int64) throws(SinkError) {
        try database.run("DELETE FROM reported_day WHERE day >= \(day)")
    }

    /// What is to be sent by now, the most urgent first.
    public func due(at now: Int64, atMost count: Int) throws(SinkError) -> [Delivery] {
        var found: [Delivery] = []
        try database.rows(
            due,
            { values in
                values.add(now)
                values.add(Int64(count))
            },
            { found.append(Self.delivery($0)) })
        return found
    }

    /// The mail of a report, without its "To".
    public func mail(of report: String) throws(SinkError) -> String? {
        var text = ""
        try database.rows(mail, { $0.add(report) }) { text = $0.text(0) }
        return text.isEmpty ? nil : text
    }

    /// Records what has become of a delivery.
    public func record(
        _ delivery: Delivery, _ state: DeliveryState, reason: String, next: Int64
    ) throws(SinkError) {
        try transaction { () throws(SinkError) in
            try database.run(outcome) { values in
                values.add(state.rawValue)
                values.add(BoundedText.line(reason, atMost: Self.reasonLimit))
                values.add(next)
                values.add(delivery.report)
                values.add(delivery.position)
            }
            try database.run(leaving) { $0.add(delivery.report) }
        }
    }

    /// All deliveries, the oldest day first.
    public func deliveries(
        _ each: (Delivery) throws(SinkError) -> Void
    ) throws(SinkError) {
        try database.rows(all, { _ in }) { row throws(SinkError) in try each(Self.delivery(row)) }
    }

    /// Forgets the reports of days before one, but not which day was the last.
    public func forget(before day: Int64) throws(SinkError) {
        try transaction { () throws(SinkError) in
            try database.run(
                """
                DELETE FROM delivery WHERE report IN (SELECT id FROM report WHERE day < \(day));
                DELETE FROM report WHERE day < \(day);
                DELETE FROM reported_day
                    WHERE day < \(day) AND day < (SELECT max(day) FROM reported_day)
                """)
        }
    }

    func transaction(_ body: () throws(SinkError) -> Void) throws(SinkError) {
        try database.run("BEGIN IMMEDIATE")
        do {
            try body()
            try database.run("COMMIT")
        } catch {
            try? database.run("ROLLBACK")
            throw error
        }
    }

    static func delivery(_ row: Statement) -> Delivery {
        Delivery(
            report: row.text(0), position: row.integer(1), day: row.integer(2),
            domain: row.text(3), address: row.text(4),
            state: DeliveryState(rawValue: row.text(5)) ?? .failed, reason: row.text(6),
            attempts: Int(row.integer(7)), next: row.integer(8), created: row.integer(9))
    }
}
