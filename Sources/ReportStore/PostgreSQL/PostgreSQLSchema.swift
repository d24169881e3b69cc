/// The tables of the report store in PostgreSQL.
///
/// Long texts are found by a digest, as an index holds no more than some kilobytes of a row. Absent
/// texts are empty.
enum PostgreSQLSchema {
    /// The version that is written here.
    static var version: Int64 { steps.last?.version ?? 0 }
    /// The lock under which one host at a time writes: two would wait for each other's rows.
    static let writing = "SELECT pg_advisory_xact_lock(hashtext('signet-dmarc writing'))"
    /// The lock that the host has that sends.
    static let sending = "SELECT pg_try_advisory_lock(hashtext('signet-dmarc sending'))"

    /// What each version adds to the one before it.
    private static let steps: [(version: Int64, tables: String)] = [(1, counts), (2, bounces)]

    private static let counts = """
        CREATE SCHEMA IF NOT EXISTS signet;
        CREATE TABLE signet.version (number bigint NOT NULL);
        INSERT INTO signet.version VALUES (1);
        CREATE TABLE signet.policy (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            digest bytea NOT NULL UNIQUE,
            domain text NOT NULL,
            p text NOT NULL, sp text NOT NULL, np text NOT NULL,
            adkim text NOT NULL, aspf text NOT NULL,
            testing boolean NOT NULL,
            discovery_method text NOT NULL,
            fo text NOT NULL, rua text NOT NULL, ruf text NOT NULL,
            last_day bigint NOT NULL
        );
        CREATE TABLE signet.verdict (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            digest bytea NOT NULL UNIQUE,
            header_from text NOT NULL,
            envelope_from text NOT NULL,
            envelope_to text NOT NULL,
            policy_applied text NOT NULL,
            result text NOT NULL,
            disposition text NOT NULL,
            dkim_aligned boolean NOT NULL,
            spf_aligned boolean NOT NULL,
            arc text NOT NULL,
            results text NOT NULL,
            reasons text NOT NULL,
            last_day bigint NOT NULL
        );
        CREATE TABLE signet.message_count (
            day bigint NOT NULL,
            policy bigint NOT NULL,
            source text NOT NULL,
            verdict bigint NOT NULL,
            messages bigint NOT NULL,
            PRIMARY KEY (day, policy, source, verdict)
        );
        CREATE TABLE signet.other (
            day bigint PRIMARY KEY,
            messages bigint NOT NULL
        );
        CREATE TABLE signet.report (
            id text PRIMARY KEY,
            day bigint NOT NULL,
            domain text NOT NULL,
            messages bigint NOT NULL,
            created bigint NOT NULL,
            mail text NOT NULL
        );
        CREATE INDEX report_day ON signet.report (day);
        CREATE TABLE signet.delivery (
            report text NOT NULL,
            position bigint NOT NULL,
            address text NOT NULL,
            state text NOT NULL,
            reason text NOT NULL,
            attempts bigint NOT NULL,
            next bigint NOT NULL,
            PRIMARY KEY (report, position)
        );
        CREATE INDEX delivery_due ON signet.delivery (next) WHERE state = 'waiting';
        CREATE TABLE signet.reported_day (day bigint PRIMARY KEY);
        """

    /// Destinations that do not take reports, and keys of our own.
    private static let bounces = """
        CREATE TABLE signet.bounced_destination (
            address text PRIMARY KEY,
            permanent boolean NOT NULL,
            bounces bigint NOT NULL,
            last bigint NOT NULL,
            until bigint NOT NULL,
            reason text NOT NULL
        );
        CREATE TABLE signet.secret (name text PRIMARY KEY, value text NOT NULL);
        """

    /// Connects, and brings the tables to the version that is written here, from none as well.
    static func connect(_ address: String) throws(SinkError) -> PostgreSQLConnection {
        let connection = try PostgreSQLConnection(address)
        if try found(connection) ?? 0 < version {
            try connection.transaction { () throws(SinkError) in
                try connection.run(writing)
                // Another host may have been first.
                let found = try found(connection) ?? 0
                for step in steps where step.version > found {
                    try connection.run(step.tables)
                    try connection.run("UPDATE signet.version SET number = \(step.version)")
                }
            }
        }
        try require(connection)
        return connection
    }

    /// Connects to a store that is there.
    static func connectToExisting(_ address: String) throws(SinkError) -> PostgreSQLConnection {
        let connection = try PostgreSQLConnection(address)
        guard try found(connection) != nil else {
            throw SinkError("PostgreSQL: the database has no report store")
        }
        try require(connection)
        return connection
    }

    private static func require(_ connection: PostgreSQLConnection) throws(SinkError) {
        let found = try found(connection) ?? 0
        guard found <= version else {
            throw SinkError("its schema has version \(found), of a later release than this one")
        }
        guard found == version else {
            throw SinkError(
                "PostgreSQL: the store has version \(found): signet-dmarc brings it up to date")
        }
        try connection.run("SET search_path = signet")
    }

    /// The version of the tables; nil where there are none.
    private static func found(_ connection: PostgreSQLConnection) throws(SinkError) -> Int64? {
        // Not to_regclass(), which may remember that there is none while another host makes it.
        let table = try connection.run(
            "SELECT 1 FROM pg_tables WHERE schemaname = 'signet' AND tablename = 'version'", [])
        guard table.count == 1 else { return nil }
        let rows = try connection.run("SELECT number FROM signet.version", [])
        return rows.count == 1 ? rows.integer(0, 0) : 0
    }
}
