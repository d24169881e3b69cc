/// The tables of received reports, which have a version of their own beside that of the report store.
enum ReceivedSchema {
    /// The version that is written here.
    static let version: Int64 = 1

    /// The tables: the text of a verdict is `ReceivedVerdict.line`, a day is in days since 1970.
    private static func tables(key: String, clustered: String) -> String {
        """
        CREATE TABLE received_version (number bigint NOT NULL);
        INSERT INTO received_version VALUES (\(version));
        CREATE TABLE received_name (id \(key), value text NOT NULL UNIQUE);
        CREATE TABLE received_verdict (id \(key), value text NOT NULL UNIQUE);
        CREATE TABLE received_report (
            number \(key),
            kind text NOT NULL,
            reporter text NOT NULL,
            reporter_domain text NOT NULL,
            id text NOT NULL,
            domain text NOT NULL,
            begins bigint NOT NULL,
            ends bigint NOT NULL,
            day bigint NOT NULL,
            received bigint NOT NULL,
            records bigint NOT NULL,
            messages bigint NOT NULL,
            passed bigint NOT NULL,
            policy text NOT NULL,
            notes text NOT NULL,
            UNIQUE (kind, reporter_domain, id, domain)
        );
        CREATE INDEX received_report_day ON received_report (day);
        CREATE INDEX received_report_id ON received_report (id);
        CREATE TABLE received_count (
            domain bigint NOT NULL,
            source text NOT NULL,
            verdict bigint NOT NULL,
            day bigint NOT NULL,
            reporter bigint NOT NULL,
            messages bigint NOT NULL,
            PRIMARY KEY (domain, source, verdict, day, reporter)
        )\(clustered);
        CREATE TABLE received_failure (
            report bigint PRIMARY KEY,
            day bigint NOT NULL,
            domain text NOT NULL,
            source text NOT NULL,
            header_from text NOT NULL,
            envelope_from text NOT NULL,
            failure text NOT NULL,
            delivery text NOT NULL,
            results text NOT NULL
        );
        CREATE TABLE received_sessions (
            report bigint NOT NULL,
            position bigint NOT NULL,
            day bigint NOT NULL,
            domain text NOT NULL,
            type text NOT NULL,
            successful bigint NOT NULL,
            failed bigint NOT NULL,
            PRIMARY KEY (report, position)
        )\(clustered);
        CREATE TABLE received_session_failure (
            report bigint NOT NULL,
            position bigint NOT NULL,
            place bigint NOT NULL,
            type text NOT NULL,
            host text NOT NULL,
            source text NOT NULL,
            sessions bigint NOT NULL,
            reason text NOT NULL,
            PRIMARY KEY (report, position, place)
        )\(clustered);
        CREATE TABLE received_refusal (
            number \(key),
            received bigint NOT NULL,
            status text NOT NULL,
            kind text NOT NULL,
            reporter text NOT NULL,
            id text NOT NULL,
            domain text NOT NULL,
            reason text NOT NULL,
            notes text NOT NULL,
            kept text NOT NULL
        );
        """
    }

    /// Opens the tables in a file, and makes them where there are none.
    static func open(path: String, isReadOnly: Bool) throws(SinkError) -> any ReceivedSQL {
        let database = try SQLiteReceivedSQL(path: path, isReadOnly: isReadOnly)
        let query = "SELECT 1 FROM sqlite_schema WHERE name = 'received_version'"
        if try !finds(query, in: database) {
            guard !isReadOnly else { throw SinkError("\(path) has no received reports") }
            try database.transaction { () throws(SinkError) in
                // Another process may have been first.
                if try !finds(query, in: database) {
                    try database.script(
                        tables(key: "INTEGER PRIMARY KEY", clustered: " WITHOUT ROWID"))
                }
            }
        }
        try requireVersion(of: database)
        return database
    }

    /// Opens the tables in a database of PostgreSQL's, and makes them where there are none.
    static func open(address: String, isReadOnly: Bool) throws(SinkError) -> any ReceivedSQL {
        let database = try PostgreSQLReceivedSQL(address: address)
        let query = """
            SELECT 1 FROM pg_tables
            WHERE schemaname = 'signet' AND tablename = 'received_version'
            """
        if try !finds(query, in: database) {
            guard !isReadOnly else { throw SinkError("the database has no received reports") }
            try database.transaction { () throws(SinkError) in
                try database.script(
                    "SELECT pg_advisory_xact_lock(hashtext('signet received'))")
                if try !finds(query, in: database) {
                    try database.script(
                        """
                        CREATE SCHEMA IF NOT EXISTS signet; SET LOCAL search_path = signet;
                        \(tables(
                            key: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", clustered: ""))
                        """)
                }
            }
        }
        try database.script("SET search_path = signet")
        try requireVersion(of: database)
        return database
    }

    private static func finds(
        _ query: String, in database: any ReceivedSQL
    ) throws(SinkError) -> Bool {
        var isThere = false
        try database.rows(query, []) { _ in isThere = true }
        return isThere
    }

    private static func requireVersion(of database: any ReceivedSQL) throws(SinkError) {
        var found: Int64 = 0
        try database.rows("SELECT number FROM received_version", []) { found = $0.integer(0) }
        guard found == version else {
            throw SinkError(
                "the received reports have schema \(found), of a later release than this one")
        }
    }
}
