/// The tables of the report store, and the way from each version to the next.
enum ReportSchema {
    /// What makes each version of the one before: the first of an empty file.
    ///
    /// An entry is never changed once it has been released: a new version is a new entry.
    static let migrations = [
        """
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            received INTEGER NOT NULL,
            reporter TEXT NOT NULL,
            queue_id TEXT,
            source_address TEXT,
            helo TEXT,
            envelope_from TEXT,
            header_from TEXT NOT NULL,
            policy_domain TEXT,
            policy_applied TEXT,
            p TEXT, sp TEXT, np TEXT, adkim TEXT, aspf TEXT,
            testing INTEGER,
            discovery_method TEXT,
            rua TEXT,
            result TEXT NOT NULL,
            disposition TEXT NOT NULL,
            dkim_aligned INTEGER NOT NULL,
            spf_aligned INTEGER NOT NULL,
            arc TEXT NOT NULL
        );
        CREATE INDEX message_received ON message (received);
        CREATE TABLE authentication (
            message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            mechanism TEXT NOT NULL,
            domain TEXT NOT NULL,
            selector TEXT,
            scope TEXT,
            result TEXT NOT NULL,
            PRIMARY KEY (message, position)
        ) WITHOUT ROWID;
        CREATE TABLE override (
            message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            type TEXT NOT NULL,
            comment TEXT NOT NULL,
            PRIMARY KEY (message, position)
        ) WITHOUT ROWID;
        """
    ]

    /// The version that is written here.
    static var version: Int { migrations.count }

    /// Brings a database to this version.
    static func prepare(_ database: borrowing Database) throws(SinkError) {
        // Readers do not hold up the writer; what a crash of the machine may lose is the last moments.
        _ = try database.first("PRAGMA journal_mode = WAL")
        try database.run(
            "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -128")
        let found = Int(try database.first("PRAGMA user_version") ?? 0)
        guard found <= version else {
            throw SinkError("its schema has version \(found), of a later release than this one")
        }
        guard found < version else { return }
        try database.run("BEGIN IMMEDIATE")
        do {
            // Another process may have been first.
            let held = Int(try database.first("PRAGMA user_version") ?? 0)
            for step in held..<max(held, version) {
                try database.run(migrations[step])
                try database.run("PRAGMA user_version = \(step + 1)")
            }
            try database.run("COMMIT")
        } catch {
            try? database.run("ROLLBACK")
            throw error
        }
    }
}
