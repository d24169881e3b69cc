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
        // What was looked at again is forgotten, and its number is not given to another.
        let before = try reader.refusalCounts(after: 0).last
        try store.remember([], replacing: ["name", "other"])
        #expect(try reader.find(id: "x").1.isEmpty)
        #expect(try reader.refusals(since: 0, atMost: 9).isEmpty)
        refusal.reason = "another"
        try store.remember([refusal], replacing: ["name"])
        #expect(try reader.find(id: "name").1 == [refusal])
        #expect(try reader.refusalCounts(after: before).refused == 1)
        #expect(try reader.find(id: "1").0.count == 2)
        try store.forget(before: 20_000)
        #expect(try reader.find(id: "1").0.isEmpty)
    }

    /// Many reports, a day each, of senders that differ; then the store is made to be half as large.
    private func checkRoom(_ location: StoreLocation) throws {
        let store = try ReceivedReportStore(location)
        let reports = (0..<400).map { number in
            var report = report("\(number)", "reporter\(number).example")
            report.begin += Int64(number) * 86_400
            report.end += Int64(number) * 86_400
            report.verdicts[1].headerFrom = "name\(number).example.org"
            report.counts = (0..<40).map {
                ReceivedCount(source: .v4(UInt32(number * 40 + $0)), verdict: $0 & 1, messages: 1)
            }
            return report
        }
        _ = try store.add(reports, at: 7)
        #expect(try store.makeRoom(below: ReceivedReportStore.defaultLimit) == nil)
        let size = try store.database.octets() ?? 2_700_000
        let gone = try #require(try store.makeRoom(below: size / 2))
        #expect(150..<350 ~= gone.reports, "\(gone)")
        var left: [Int64] = []
        try store.reports(since: 0) { left.append($0.report.day) }
        #expect(left.count == 400 - Int(gone.reports))
        #expect(left.min() == gone.before)
        #expect(left.max() == reports.last?.day)
        // What only they used is gone with them, and what is left still has its names.
        var names: Int64 = 0
        try store.database.rows("SELECT count(*) FROM received_name", []) { names = $0.integer(0) }
        #expect(names == Int64(left.count) + 1)
        try store.counts(since: 0, middle: 0) { count in
            #expect(count.domain == "example.org")
            #expect(count.verdict.headerFrom.hasSuffix("example.org"))
        }
        #expect(try store.makeRoom(below: size / 2) == nil)
        // One that has begun before goes on.
        #expect(try store.add([report("new", "reporter1.example")], at: 8) == [true])
        if let after = try store.database.octets() { #expect(after < size / 2 + 65_536) }
    }

    @Test func `a store that is only read is not written`() throws {
        let folder = try TemporaryDirectory("signet-received")
        let location = StoreLocation.file(folder.file("r.db"))
        _ = try ReceivedReportStore(location).add([report("1")], at: 7)
        let reader = try ReceivedReportStore(location, isReadOnly: true)
        #expect(throws: SinkError.self) { try reader.add([report("2")], at: 8) }
        #expect(throws: SinkError.self) { try reader.forget(before: 30_000) }
        var stored = 0
        try reader.reports(since: 0) { _ in stored += 1 }
        #expect(stored == 1)
    }

    @Test func `a store of SQLite's is bounded`() throws {
        let folder = try TemporaryDirectory("signet-received")
        try checkRoom(.file(folder.file("r.db")))
        // Evaluations beside it stay, however large they are.
        let shared = StoreLocation.file(folder.file("shared.db"))
        let store = try ReceivedReportStore(shared)
        _ = try store.add([report("1")], at: 7)
        #expect(try store.makeRoom(below: 10_000) == nil)
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

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `a store of PostgreSQL's is bounded`() throws {
        let address = try #require(PostgreSQLServer.shared).makeDatabase()
        try checkRoom(try #require(StoreLocation(address)))
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
