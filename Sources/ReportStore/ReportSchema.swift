/// The tables of the report store, and the way from each version to the next.
enum ReportSchema {
    /// The version that is written here.
    ///
    /// Version 1 had a row of `message` for each message, with its rows of `authentication` and `override`.
    static var version: Int { steps.last?.version ?? 0 }

    /// What each version adds to the one before it.
    ///
    /// Version 2 begins as from nothing: the tables of version 1 stay beside its own.
    private static let steps: [(version: Int, tables: String)] = [(2, counts), (3, bounces)]

    /// The tables of version 2.
    ///
    /// Messages that do not differ in what a report says are one row of `message_count`. What its rows refer to is kept once, with the
    /// last day on which it was used: what no day that is kept has used can go. An absent name is 0, an absent text is empty, so that
    /// UNIQUE holds for them; the view `evaluation` has NULL for both, and the names in place of their numbers.
    private static let counts = """
        CREATE TABLE name (
            id INTEGER PRIMARY KEY,
            value TEXT NOT NULL UNIQUE,
            last_day INTEGER NOT NULL
        );
        CREATE TABLE policy (
            id INTEGER PRIMARY KEY,
            domain INTEGER NOT NULL,
            p TEXT NOT NULL, sp TEXT NOT NULL, np TEXT NOT NULL,
            adkim TEXT NOT NULL, aspf TEXT NOT NULL,
            testing INTEGER NOT NULL,
            discovery_method TEXT NOT NULL,
            fo TEXT NOT NULL, rua TEXT NOT NULL, ruf TEXT NOT NULL,
            last_day INTEGER NOT NULL,
            UNIQUE (domain, p, sp, np, adkim, aspf, testing, discovery_method, fo, rua, ruf)
        );
        CREATE TABLE result_list (
            id INTEGER PRIMARY KEY,
            value TEXT NOT NULL UNIQUE,
            last_day INTEGER NOT NULL
        );
        CREATE TABLE result (
            list INTEGER NOT NULL,
            position INTEGER NOT NULL,
            mechanism TEXT NOT NULL,
            domain INTEGER NOT NULL,
            selector INTEGER NOT NULL,
            scope TEXT NOT NULL,
            result TEXT NOT NULL,
            PRIMARY KEY (list, position)
        ) WITHOUT ROWID;
        CREATE TABLE reason_list (
            id INTEGER PRIMARY KEY,
            value TEXT NOT NULL UNIQUE,
            last_day INTEGER NOT NULL
        );
        CREATE TABLE verdict (
            id INTEGER PRIMARY KEY,
            header_from INTEGER NOT NULL,
            envelope_from INTEGER NOT NULL,
            envelope_to INTEGER NOT NULL,
            policy_applied TEXT NOT NULL,
            result TEXT NOT NULL,
            disposition TEXT NOT NULL,
            dkim_aligned INTEGER NOT NULL,
            spf_aligned INTEGER NOT NULL,
            arc TEXT NOT NULL,
            results INTEGER NOT NULL,
            reasons INTEGER NOT NULL,
            last_day INTEGER NOT NULL,
            UNIQUE (header_from, envelope_from, envelope_to, policy_applied, result, disposition,
                dkim_aligned, spf_aligned, arc, results, reasons)
        );
        CREATE TABLE message_count (
            day INTEGER NOT NULL,
            policy INTEGER NOT NULL,
            source TEXT NOT NULL,
            verdict INTEGER NOT NULL,
            messages INTEGER NOT NULL,
            PRIMARY KEY (day, policy, source, verdict)
        ) WITHOUT ROWID;
        CREATE TABLE other (
            day INTEGER PRIMARY KEY,
            messages INTEGER NOT NULL
        );
        CREATE TABLE report (
            id TEXT PRIMARY KEY,
            day INTEGER NOT NULL,
            domain TEXT NOT NULL,
            messages INTEGER NOT NULL,
            created INTEGER NOT NULL,
            mail TEXT NOT NULL
        );
        CREATE INDEX report_day ON report (day);
        CREATE TABLE delivery (
            report TEXT NOT NULL,
            position INTEGER NOT NULL,
            address TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            next INTEGER NOT NULL,
            PRIMARY KEY (report, position)
        ) WITHOUT ROWID;
        CREATE INDEX delivery_due ON delivery (next) WHERE state = 'waiting';
        CREATE TABLE reported_day (
            day INTEGER PRIMARY KEY
        );
        CREATE VIEW evaluation AS
            SELECT date(counted.day * 86400, 'unixepoch') AS day,
                nullif(counted.source, '') AS source_address,
                author.value AS header_from, envelope.value AS envelope_from,
                recipient.value AS envelope_to,
                owner.value AS policy_domain, nullif(policy_applied, '') AS policy_applied,
                p, nullif(sp, '') AS sp, nullif(np, '') AS np, adkim, aspf, testing,
                discovery_method, nullif(fo, '') AS fo, nullif(rua, '') AS rua,
                nullif(ruf, '') AS ruf, verdict.result AS result, disposition, dkim_aligned,
                spf_aligned, arc, results, reason_list.value AS reasons, messages
            FROM message_count AS counted
            JOIN verdict ON verdict.id = counted.verdict
            JOIN name AS author ON author.id = header_from
            LEFT JOIN name AS envelope ON envelope.id = envelope_from
            LEFT JOIN name AS recipient ON recipient.id = envelope_to
            LEFT JOIN policy ON policy.id = counted.policy
            LEFT JOIN name AS owner ON owner.id = policy.domain
            LEFT JOIN reason_list ON reason_list.id = reasons;
        """

    /// The tables of version 3: destinations that do not take reports, and keys of our own.
    private static let bounces = """
        CREATE TABLE bounced_destination (
            address TEXT PRIMARY KEY,
            permanent INTEGER NOT NULL,
            bounces INTEGER NOT NULL,
            last INTEGER NOT NULL,
            until INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE secret (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID;
        """

    /// Brings a database to this version.
    ///
    /// The messages of version 1 stay where they are; `VersionOneMessages` counts them bit by bit.
    static func prepare(_ database: borrowing Database) throws(SinkError) {
        // Readers do not hold up the writer; what a crash of the machine may lose is the last moments.
        _ = try database.first("PRAGMA journal_mode = WAL")
        try database.run(
            """
            PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048;
            PRAGMA journal_size_limit = 8388608
            """)
        guard try found(database) < version else { return }
        try database.run("BEGIN IMMEDIATE")
        do {
            // Another process may have been first.
            let found = try found(database)
            for step in steps where step.version > found {
                try database.run(step.tables)
                try database.run("PRAGMA user_version = \(step.version)")
            }
            try database.run("COMMIT")
        } catch {
            try? database.run("ROLLBACK")
            throw error
        }
    }

    /// Checks that a database has the version that is written here.
    static func requireCurrent(
        _ database: borrowing Database, path: String
    ) throws(SinkError) {
        let found = try found(database)
        guard found < version else { return }
        throw SinkError(
            found == 0
                ? "\(path) is no report store"
                : "\(path) has version \(found): signet-dmarc brings it up to date")
    }

    /// The version of a database, 0 for an empty one.
    ///
    /// - Throws: where it is of a later release.
    static func found(_ database: borrowing Database) throws(SinkError) -> Int {
        let found = Int(try database.first("PRAGMA user_version") ?? 0)
        guard found <= version else {
            throw SinkError("its schema has version \(found), of a later release than this one")
        }
        return found
    }
}
