import Foundation
import MailSyntax
import TestKit
import Testing

@testable import ReportStore

/// The store of received reports, the same in both databases.
@Suite struct ReceivedStoreTests {
    private func report(_ id: String, _ reporter: String = "reports.example") -> ReceivedReport {
        var report = ReceivedReport(kind: .aggregate)
        (report.id, report.reporterDomain, report.reporter) = (id, reporter, "R")
        report.domain = "example.org"
        (report.begin, report.end) = (1_700_006_400, 1_700_092_799)
        report.records = 2
        var verdict = ReceivedVerdict()
        verdict.headerFrom = "example.org"
        verdict.isSPFAligned = true
        verdict.signatures = [.init(domain: "example.org", selector: "s", result: "fail")]
        verdict.reasons = "other: it's \"quoted\"; DROP TABLE\nforwarded: "
        report.verdicts = [verdict, ReceivedVerdict()]
        report.counts = [
            ReceivedCount(source: .v4(0xC000_0201), verdict: 0, messages: 3),
            ReceivedCount(source: .v4(0xC000_0201), verdict: 1, messages: 2),
        ]
        report.messages = 5
        report.notes = ["one", "two"]
        report.policy.p = "reject"
        return report
    }

    private func check(_ location: StoreLocation) throws {
        let store = try ReceivedReportStore(location)
        #expect(
            try store.add([report("1"), report("2"), report("1")], at: 7) == [true, true, false])
        #expect(
            try store.add([report("2"), report("1", "other.example")], at: 8) == [false, true])
        var failure = report("f")
        failure.kind = .failure
        (failure.counts, failure.verdicts) = ([], [])
        failure.failure = ReceivedFailure()
        failure.failure?.source = "192.0.2.9"
        var tls = report("t")
        tls.kind = .tls
        (tls.counts, tls.verdicts) = ([], [])
        var sessions = ReceivedSessions()
        (sessions.domain, sessions.type) = ("example.org", "sts")
        (sessions.successful, sessions.failed) = (10, 4)
        sessions.failures = [
            .init(type: "certificate-expired", host: "mx", source: "", sessions: 4, reason: "")
        ]
        tls.sessions = [sessions]
        #expect(try store.add([failure, tls], at: 9) == [true, true])

        let reader = try ReceivedReportStore(location, isReadOnly: true)
        var stored: [StoredReport] = []
        try reader.reports(since: 0) { stored.append($0) }
        #expect(stored.count == 5)
        #expect(stored.first?.report.notes == ["one", "two"])
        #expect(stored.first?.report.policy.p == "reject")
        #expect(stored.first?.passed == 3)
        var counts: [StoredCount] = []
        try reader.counts(since: 0, middle: 0) { counts.append($0) }
        #expect(counts.map(\.messages) == [9, 6])
        #expect(counts.first?.source == "192.0.2.1")
        #expect(counts.first?.verdict == report("1").verdicts.first)
        try reader.counts(since: 19_677, middle: 0) { _ in Issue.record("nothing is so new") }
        #expect(try reader.sessions(since: 0).first?.failures.first?.sessions == 4)
        #expect(try reader.failures(since: 0, atMost: 9).first?.failure.source == "192.0.2.9")

        var refusal = ReceivedRefusal(received: 10)
        (refusal.id, refusal.reason, refusal.kept) = ("x", "why", "name")
        try store.remember([refusal])
        #expect(try reader.find(id: "x").1 == [refusal])
        #expect(try reader.find(id: "name").1 == [refusal])
        #expect(try reader.find(id: "1").0.count == 2)
        try store.forget(before: 20_000)
        #expect(try reader.find(id: "1").0.isEmpty)
    }

    @Test func `SQLite keeps reports once`() throws {
        let folder = try TemporaryDirectory("signet-received")
        try check(.file(folder.file("r.db")))
        // Beside evaluations, whichever were first.
        try SQLiteReportStore(path: folder.file("r.db")).write([])
        #expect(throws: SinkError.self) {
            try ReceivedReportStore(.file(folder.file("none.db")), isReadOnly: true)
        }
    }

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `PostgreSQL keeps reports once`() throws {
        let address = try #require(PostgreSQLServer.shared).makeDatabase()
        try check(try #require(StoreLocation(address)))
    }

    /// Numbers that a transaction gave are not used after it is undone.
    @Test func `a failed batch leaves nothing`() throws {
        let folder = try TemporaryDirectory("signet-received")
        let path = folder.file("r.db")
        let store = try ReceivedReportStore(.file(path))
        try SQLiteReceivedSQL(path: path, isReadOnly: false).script(
            """
            CREATE TRIGGER stop BEFORE INSERT ON received_report WHEN new.id = 'bad'
            BEGIN SELECT RAISE(ABORT, 'stopped'); END
            """)
        #expect(throws: SinkError.self) { try store.add([report("1"), report("bad")], at: 0) }
        #expect(try store.add([report("1")], at: 0) == [true])
        var counts: [StoredCount] = []
        try store.counts(since: 0, middle: 0) { counts.append($0) }
        #expect(counts.map(\.messages) == [3, 2])
        #expect(counts.first?.domain == "example.org")
    }
}
