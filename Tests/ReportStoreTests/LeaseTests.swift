import ReportStore
import TestKit
import Testing

/// The lease of one of several hosts, in a private PostgreSQL.
@Suite(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
struct LeaseTests {
    private let server: PostgreSQLServer
    private let address: String

    init() throws {
        server = try #require(PostgreSQLServer.shared)
        address = try server.makeDatabase()
    }

    private func lease(_ holder: String, term: Int64 = 3600) -> PostgreSQLLease {
        PostgreSQLLease(address: address, name: "test", holder: holder, term: term)
    }

    /// As if the time of the one who has it had passed.
    private func expire() throws {
        let name = address.split(separator: "/")[1].prefix { $0 != "?" }
        _ = try server.query(
            String(name), "UPDATE signet.lease SET until = now() - interval '1 second'")
    }

    @Test func `one has it until its time has passed`() throws {
        let (one, two) = (lease("one"), lease("two"))
        #expect(try one.take() == .ours)
        #expect(try one.take() == .ours)
        guard case .theirs("one", let seconds) = try two.take() else {
            Issue.record("both have it")
            return
        }
        #expect((1...3600).contains(seconds))
        try expire()
        #expect(try two.take() == .ours)
        // Who has lost it notices.
        guard case .theirs("two", _) = try one.take() else {
            Issue.record("both have it")
            return
        }
    }

    @Test func `it can be taken over, and leases of other names are others`() throws {
        let (one, two) = (lease("one"), lease("two"))
        #expect(try one.take() == .ours)
        let other = PostgreSQLLease(address: address, name: "other", holder: "two", term: 60)
        #expect(try other.take() == .ours)
        #expect(try two.take(takingOver: true) == .ours)
        #expect(try one.take() != .ours)
    }

    @Test func `it lies beside the report store, whichever was first`() throws {
        #expect(try lease("one").take() == .ours)
        let store = PostgreSQLReportStore(address: address)
        try store.write([])
        #expect(try lease("one").take() == .ours)
    }

    @Test func `a server that is away is an error`() throws {
        let away = PostgreSQLLease(
            address: "postgresql:///x?host=/nonexistent", name: "test", holder: "one", term: 60)
        #expect(throws: SinkError.self) { try away.take() }
    }
}
