internal import Foundation
import Synchronization

/// A private PostgreSQL: the machine's own server with a data directory of its own, on a Unix socket.
///
/// Tests that share one make a database each. It runs only as root, who becomes the user postgres.
public final class PostgreSQLServer: Sendable {
    private let directory: TemporaryDirectory
    private let process = Mutex<ChildProcess?>(nil)
    private let number = Mutex(0)

    /// The one that the tests of a process share; nil where it cannot be started.
    public static let shared = try? PostgreSQLServer()

    /// Whether Debian's package is there.
    public static var isInstalled: Bool { getuid() == 0 && programs != nil }

    private static var programs: String? {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.sorted().reversed().map { "\(root)/\($0)/bin" }.first {
            FileManager.default.isExecutableFile(atPath: "\($0)/initdb")
        }
    }

    private static let user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]

    /// Makes the data directory, and starts the server.
    public init() throws {
        guard let programs = Self.programs else {
            throw TestKitError(
                "PostgreSQL is not installed; Tests/run installs what the tests need")
        }
        directory = try TemporaryDirectory("signet-pg")
        try directory.makeDirectory("socket", owner: "postgres", group: "postgres")
        try directory.makeDirectory("data", mode: 0o700, owner: "postgres", group: "postgres")
        try Command.require(
            "setpriv",
            Self.user + [
                "\(programs)/initdb", "--pgdata", directory.file("data"), "--auth", "trust",
                "--no-sync", "--encoding", "UTF8", "--locale", "C",
            ])
        try start()
    }

    deinit { stop() }

    /// Starts the server, and waits until it answers.
    public func start() throws {
        guard let programs = Self.programs else { return }
        let child = try ChildProcess(
            try Command.path(of: "setpriv"),
            Self.user + [
                "\(programs)/postgres", "-D", directory.file("data"), "-k",
                directory.file("socket"), "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                "autovacuum=off",
            ],
            descriptors: [
                .file(directory.file("log"), as: 1), .file(directory.file("log"), as: 2),
            ])
        process.withLock { $0 = child }
        _ = try wait(for: "PostgreSQL to answer", seconds: 60) {
            let ready = try Command.run(
                "\(programs)/pg_isready", ["-h", directory.file("socket")])
            return ready.succeeded ? true : nil
        }
    }

    /// Ends the server at once, as a crash would.
    public func stop() {
        let child = process.withLock { $0.take() }
        child?.stop(signal: SIGQUIT)
    }

    /// The address of a new database.
    public func makeDatabase() throws -> String {
        let name = number.withLock { number in
            number += 1
            return "signet\(number)"
        }
        _ = try query("postgres", "CREATE DATABASE \(name)")
        return "postgresql:///\(name)?host=\(directory.file("socket"))&user=postgres"
    }

    /// What a query prints, without padding.
    public func query(_ database: String, _ text: String) throws -> String {
        try Command.require(
            "psql",
            [
                "--host", directory.file("socket"), "--username", "postgres", "--dbname",
                database, "--no-psqlrc", "--tuples-only", "--no-align", "--command", text,
            ])
    }
}
