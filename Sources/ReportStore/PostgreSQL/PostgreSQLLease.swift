/// Which of several hosts does what only one of them may do, as the database of the report store has it.
///
/// The lock of the host that sends reports goes with a connection. A lease stays with a host from one run to the next,
/// because what that host works on is on its own disk; another takes it when the term has passed and the host has not said
/// again that it is there. The database's clock alone counts. Nothing is kept but the names of the lease and of the host, and
/// a time.
package final class PostgreSQLLease {
    /// Whose a lease is.
    package enum Holding: Hashable, Sendable {
        /// This host's, for a whole term from now on.
        case ours
        /// Another host's, for so many seconds unless it takes it again.
        case theirs(String, seconds: Int64)
    }

    private let address: String
    private let name: String
    private let holder: String
    private let term: Int64
    private var connection: PostgreSQLConnection?

    /// Names a lease; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - address: a URI or settings, as libpq reads them.
    ///   - name: what the lease is for.
    ///   - holder: this host, by a name that no other has.
    ///   - term: how long it is this host's after each time that it is taken, in seconds.
    package init(address: String, name: String, holder: String, term: Int64) {
        self.address = address
        self.name = name
        self.holder = holder
        self.term = term
    }

    /// Takes the lease for a term, if it is this host's already or nobody's.
    ///
    /// - Parameter takingOver: whether it is taken from another host as well.
    /// - Returns: whose it is now.
    /// - Throws: why the database cannot say so.
    package func take(takingOver: Bool = false) throws(SinkError) -> Holding {
        if let connection {
            do throws(SinkError) {
                return try take(connection, takingOver)
            } catch {
                // The server may have been started anew since the last step.
                self.connection = nil
            }
        }
        return try take(open(), takingOver)
    }

    private func take(
        _ connection: PostgreSQLConnection, _ takingOver: Bool
    ) throws(SinkError) -> Holding {
        let taken = try connection.run(
            """
            INSERT INTO signet.lease AS held (name, holder, until)
            VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::bigint))
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,
                until = clock_timestamp() + make_interval(secs => $3::bigint)
            WHERE held.holder = excluded.holder OR held.until < clock_timestamp() OR $4::boolean
            RETURNING 1
            """, [name, holder, String(term), takingOver ? "t" : "f"])
        if taken.count == 1 { return .ours }
        let rows = try connection.run(
            """
            SELECT holder, greatest(0, ceil(extract(epoch FROM until - clock_timestamp())))::bigint
            FROM signet.lease WHERE name = $1
            """, [name])
        guard rows.count == 1 else { throw SinkError("PostgreSQL: the lease \(name) has gone") }
        return .theirs(rows.text(0, 0), seconds: rows.integer(0, 1))
    }

    private func open() throws(SinkError) -> PostgreSQLConnection {
        if let connection { return connection }
        let opened = try PostgreSQLConnection(address)
        // Not to_regclass(), which may remember that there is none while another host makes it.
        let table = "SELECT 1 FROM pg_tables WHERE schemaname = 'signet' AND tablename = 'lease'"
        if try opened.run(table, []).count == 0 {
            try opened.transaction { () throws(SinkError) in
                try opened.run(PostgreSQLSchema.writing)
                try opened.run(
                    """
                    CREATE SCHEMA IF NOT EXISTS signet;
                    CREATE TABLE IF NOT EXISTS signet.lease (
                        name text PRIMARY KEY,
                        holder text NOT NULL,
                        until timestamptz NOT NULL
                    )
                    """)
            }
        }
        connection = opened
        return opened
    }
}
