import Foundation
import Glibc
import Synchronization
import TestKit
import Testing

@testable import ReportStore

/// The report store: rows, versions, and what happens when it cannot be written.
@Suite struct StoreTests {
    private func sample(_ time: Int64 = 1_795_000_000) -> Evaluation {
        var evaluation = Evaluation(
            received: time, reporter: "mx.example.org", headerFrom: "example.net", result: "fail",
            disposition: "quarantine")
        evaluation.queueID = "4XyZ"
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.envelopeFrom = "bounce.example.net"
        evaluation.policy = Evaluation.Policy(
            domain: "example.net", applied: "reject", p: "reject", sp: "none",
            reportAddresses: ["mailto:a@example.net", "mailto:b@example.net"])
        evaluation.isSPFAligned = true
        evaluation.authentications = [
            .init(mechanism: "dkim", domain: "example.com", selector: "s", result: "pass"),
            .init(
                mechanism: "spf", domain: "bounce.example.net", scope: "mfrom", result: "softfail"),
        ]
        evaluation.overrides = [.init(kind: "local_policy", comment: "it's \"quoted\"; DROP TABLE")]
        return evaluation
    }

    private func sqlite(_ path: String, _ text: String) throws -> String {
        try Command.require("sqlite3", [path, text]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A record of 60 kB must not be stored with each message.
    @Test func `addresses for reports are kept up to two kilobytes`() {
        let addresses = (0..<32).map { "mailto:\($0)@" + String(repeating: "a", count: 190) }
        let policy = Evaluation.Policy(
            domain: "example.net", applied: "reject", p: "reject", reportAddresses: addresses)
        #expect(policy.reportAddresses == Array(addresses.prefix(10)))
        #expect(
            policy.reportAddresses.joined(separator: " ").utf8.count
                <= Evaluation.Policy.longestReportAddresses)
        let one = [String(repeating: "a", count: 2_048)]
        #expect(
            Evaluation.Policy(domain: "", applied: "", p: "", reportAddresses: one).reportAddresses
                == one)
    }

    private func store(
        _ path: String, keepingDays days: Int? = nil, limit: Int64 = 1 << 30, _ clock: Clock? = nil
    ) -> SQLiteReportStore {
        SQLiteReportStore(
            path: path, keepingDays: days, limit: limit, now: clock.map { clock in { clock.now } })
    }

    /// What is counted on a day, under every policy.
    private func counts(
        _ store: SQLiteReportStore, on day: Int64
    ) throws -> [(Evaluation.Policy, EvaluationCount)] {
        var found: [(Evaluation.Policy, EvaluationCount)] = []
        for policy in try store.policies(on: day) {
            try store.counts(under: policy, on: day) { found.append((policy.policy, $0)) }
        }
        return found
    }

    @Test func `messages that do not differ are one row, which has all that an evaluation says`()
        throws
    {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let store = store(path)
        var other = sample(1_795_000_002)
        other.queueID = "another"
        other.helo = "another.example"
        try store.write([sample(), other, sample(1)])
        #expect(try sqlite(path, "PRAGMA user_version") == "3")
        let rows = try counts(store, on: 1_795_000_000 / 86_400)
        #expect(rows.count == 1)
        let (policy, row) = try #require(rows.first)
        var published = try #require(sample().policy)
        published.applied = ""
        #expect(policy == published)
        #expect(row.messages == 2)
        #expect(row.sourceAddress == "192.0.2.1")
        #expect(row.verdict == Verdict(sample()))
        #expect(row.verdict.authentications == sample().authentications)
        #expect(row.verdict.overrides == sample().overrides)
        #expect(row.verdict.applied == "reject")
        #expect(try counts(store, on: 0).map(\.1.messages) == [1])
        #expect(
            try sqlite(
                path,
                """
                SELECT day, header_from, policy_domain, p, sp, np IS NULL, rua, spf_aligned, messages
                FROM evaluation WHERE messages = 2
                """)
                == "2026-11-18|example.net|example.net|reject|none|1|mailto:a@example.net mailto:b@example.net|1|2"
        )
    }

    @Test func `whatever differs in a report is a row of its own`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let store = store(folder.file("reports.db"))
        let changes: [(inout Evaluation) -> Void] = [
            { $0.received += 86_400 }, { $0.sourceAddress = "2001:db8::1" },
            { $0.sourceAddress = nil }, { $0.headerFrom = "news.example.net" },
            { $0.envelopeFrom = nil }, { $0.envelopeFrom = "x.example" }, { $0.policy = nil },
            { $0.envelopeTo = "one.example" }, { $0.envelopeTo = "two.example" },
            { $0.policy?.applied = "none" }, { $0.policy?.p = "none" }, { $0.policy?.sp = nil },
            { $0.policy?.np = "none" }, { $0.policy?.adkim = "s" }, { $0.policy?.aspf = "s" },
            { $0.policy?.isTesting = true }, { $0.policy?.discovery = "psl" },
            { $0.policy?.reportAddresses = [] }, { $0.policy?.failureOptions = "1" },
            { $0.policy?.failureAddresses = ["mailto:f@example.net"] }, { $0.result = "pass" },
            { $0.disposition = "none" }, { $0.isDKIMAligned = true }, { $0.isSPFAligned = false },
            { $0.arc = "pass" }, { $0.authentications = [] },
            { $0.authentications[0].selector = "t" }, { $0.authentications[1].result = "fail" },
            { $0.overrides = [] }, { $0.overrides[0].comment = "" },
        ]
        let evaluations =
            [sample()]
            + changes.map { change in
                var evaluation = sample()
                change(&evaluation)
                return evaluation
            }
        try store.write(evaluations + evaluations)
        let count = try sqlite(
            folder.file("reports.db"), "SELECT count(*), sum(messages) FROM evaluation")
        #expect(count == "\(evaluations.count)|\(2 * evaluations.count)")
        #expect(
            try sqlite(
                folder.file("reports.db"), "SELECT count(*) FROM name WHERE value = 'example.net'")
                == "1")
    }

    @Test func `hostile text is bounded and printable, and signatures are in order of preference`()
        throws
    {
        let folder = try TemporaryDirectory("signet-store")
        let store = store(folder.file("reports.db"))
        var evaluation = sample()
        evaluation.headerFrom = "a\u{0}b\nc\u{9F}d\u{FFFF}.example"
        evaluation.envelopeFrom = String(repeating: "é", count: 500)
        evaluation.overrides = [.init(kind: "other", comment: String(repeating: "x", count: 9999))]
        evaluation.policy?.reportAddresses = (0..<100).map {
            "mailto:\($0)@" + String(repeating: "x", count: 93)
        }
        let spf = evaluation.authentications.last
        evaluation.authentications = (0..<150).map {
            .init(mechanism: "dkim", domain: "d\($0).example", selector: "s", result: "fail")
        }
        evaluation.authentications += [
            .init(mechanism: "dkim", domain: "other.example", selector: "s", result: "pass"),
            .init(mechanism: "dkim", domain: "mail.example.net", selector: "s", result: "pass"),
            .init(
                mechanism: "dkim", domain: evaluation.headerFrom, selector: "s", result: "pass"),
        ]
        evaluation.authentications.append(try #require(spf))
        try store.write([evaluation])
        let (policy, row) = try #require(try counts(store, on: evaluation.received / 86_400).first)
        #expect(row.verdict.headerFrom == "a?b?c?d?.example")
        #expect(row.verdict.envelopeFrom?.utf8.count == 254)
        #expect(row.verdict.overrides[0].comment.utf8.count == 256)
        #expect((1...2048).contains(policy.reportAddresses.joined(separator: " ").utf8.count))
        #expect(policy.reportAddresses[0] == evaluation.policy?.reportAddresses[0])
        let found = row.verdict.authentications
        #expect(found.count == 101)
        #expect(
            found.prefix(4).map(\.domain)
                == ["a?b?c?d?.example", "mail.example.net", "other.example", "d0.example"])
        #expect(found.last == spf)
    }

    @Test func `a store of a later release is left alone`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        _ = try sqlite(path, "PRAGMA user_version = 99; CREATE TABLE x (y)")
        #expect(throws: SinkError.self) { try store(path).write([self.sample()]) }
        #expect(try sqlite(path, "PRAGMA user_version") == "99")
    }

    @Test func `what fails is told, kept, and written once it can be`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("missing/reports.db")
        let box = LineBox()
        let writer = EvaluationWriter(
            "ReportStore", capacity: 2, sink: { SQLiteReportStore(path: path) },
            report: { box.add($0) })
        for index in 0..<5 { writer.add(sample(Int64(index))) }
        _ = try wait(for: "a line about the failure") { box.all.isEmpty ? nil : true }
        #expect(box.all.count == 1)
        #expect(box.all[0].contains("evaluations cannot be recorded: "))
        try FileManager.default.createDirectory(
            atPath: folder.file("missing"), withIntermediateDirectories: false)
        _ = try wait(for: "the store to be written") {
            box.all.contains { $0.contains("written again") } ? true : nil
        }
        #expect(box.all.contains("ReportStore: 3 evaluations were not recorded"))
        writer.close()
        #expect(try sqlite(path, "SELECT sum(messages) FROM evaluation") == "2")
    }

    @Test func `an end writes what waits`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let writer = EvaluationWriter(
            "ReportStore", sink: { SQLiteReportStore(path: path) },
            report: { Issue.record("\($0)") })
        for index in 0..<1200 { writer.add(sample(Int64(index))) }
        writer.close()
        #expect(try sqlite(path, "SELECT day, messages FROM evaluation") == "1970-01-01|1200")
    }

    @Test func `days older than the retention go bit by bit, with all that only they used`()
        throws
    {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let clock = Clock(20_000 * 86_400 + 5)
        let store = store(path, keepingDays: 30, clock)
        #expect(try !store.tidy())
        let old = (20_000 - 30) * 86_400 - 1
        try store.write(
            (0..<1200).map { number in
                var evaluation = sample(Int64(old))
                evaluation.sourceAddress = "2001:db8::\(number)"
                evaluation.headerFrom = "d\(number).example"
                evaluation.authentications[0].selector = "s\(number)"
                return evaluation
            } + [sample(Int64(old)), sample(Int64(old) + 1), sample(clock.now)])
        var steps = 1
        while try store.tidy() { steps += 1 }
        // Three of counts, and two or more of each of the tables.
        #expect(steps > 8)
        #expect(try sqlite(path, "SELECT count(*), min(day) FROM evaluation") == "2|2024-09-04")
        let rest = """
            SELECT (SELECT count(*) FROM verdict), (SELECT count(*) FROM policy),
                (SELECT count(*) FROM result_list), (SELECT count(*) FROM result),
                (SELECT count(*) FROM reason_list), (SELECT count(*) FROM name)
            """
        #expect(try sqlite(path, rest) == "1|1|1|2|1|4")
        // Again in an hour; what is remembered of the values that have gone is not used.
        clock.now += 3599
        #expect(try !store.tidy())
        clock.now += 1
        while try store.tidy() {}
        try store.write([sample(clock.now)])
        #expect(try counts(store, on: 20_000).map(\.1.messages) == [2])
    }

    @Test func `without a retention everything stays`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let store = store(path)
        try store.write([sample(1)])
        #expect(try !store.tidy())
        #expect(try sqlite(path, "SELECT count(*) FROM evaluation") == "1")
    }

    @Test func `at its limit the store counts what it knows, and all else as others`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let clock = Clock(1_795_000_000)
        let store = store(path, limit: 1 << 20, clock)
        func attack(_ numbers: Range<Int>) -> [Evaluation] {
            numbers.map { number in
                var evaluation = sample(clock.now)
                evaluation.headerFrom = "d\(number).example"
                evaluation.policy?.domain = evaluation.headerFrom
                return evaluation
            }
        }
        try store.write([sample()])
        for start in stride(from: 0, to: 10_000, by: 1000) {
            try store.write(attack(start..<start + 1000))
        }
        try store.write([sample(), sample()])
        let day = clock.now / 86_400
        let others = try store.others(on: day)
        #expect(others > 1000)
        let known = try sqlite(path, "SELECT sum(messages) FROM evaluation")
        #expect(Int64(known) == 10_003 - others)
        #expect(
            try sqlite(path, "SELECT messages FROM evaluation WHERE header_from = 'example.net'")
                == "3")
        let size = try #require(
            FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)
        #expect(size.int64Value < (1 << 20) + (1 << 17))
        // Said once a minute.
        #expect(
            store.notices()
                == ["it has come to its limit: \(others) evaluations are counted as others only"])
        try store.write(attack(20_000..<20_010))
        #expect(store.notices().isEmpty)
        clock.now += 60
        #expect(store.notices().count == 1)
    }

    @Test func `the file is for its owner and group, also where version 1 let everybody read it`()
        throws
    {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        func mode() throws -> Int? {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?
                .intValue
        }
        try store(path).write([sample()])
        #expect(try mode() == 0o640)
        // A copy that was restored with the usual mode; SQLite keeps files beside it.
        for name in ["reports.db", "reports.db-wal"] {
            _ = try? FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: folder.file(name))
        }
        let store = store(path)
        try store.write([sample()])
        #expect(try mode() == 0o640)
        #expect(store.notices().count == 1)
        #expect(store.notices().isEmpty)
        let old = folder.file("old.db")
        try VersionOne.make(old)
        try self.store(old).write([sample()])
        #expect(
            try FileManager.default.attributesOfItem(atPath: old)[.posixPermissions] as? NSNumber
                == 0o640)
    }

    @Test func `a store that is deleted while it is open is made anew`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let store = store(path)
        try store.write([sample()])
        try FileManager.default.removeItem(atPath: path)
        try store.write([sample(), sample()])
        #expect(try sqlite(path, "SELECT sum(messages) FROM evaluation") == "2")
        try FileManager.default.moveItem(atPath: path, toPath: folder.file("moved.db"))
        try store.write([sample()])
        #expect(try sqlite(path, "SELECT sum(messages) FROM evaluation") == "1")
    }

    @Test func `a store that was damaged is told, and left as it is`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        try store(path).write([sample()])
        var octets = try #require(FileManager.default.contents(atPath: path))
        for index in 100..<octets.count { octets[index] = 0x55 }
        try octets.write(to: URL(fileURLWithPath: path))
        #expect(throws: SinkError.self) { try store(path).write([self.sample()]) }
    }

    @Test func `the writer tidies when it has written`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let writer = EvaluationWriter(
            "ReportStore", sink: { SQLiteReportStore(path: path, keepingDays: 1) },
            report: { Issue.record("\($0)") })
        for index in 0..<1200 { writer.add(sample(Int64(index))) }
        _ = try wait(for: "old evaluations to go") {
            try? sqlite(path, "SELECT count(*) FROM name") == "0" ? true : nil
        }
        writer.close()
    }

    @Test func `a file that is no database is told`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = try folder.write(
            Array("not a database, and long enough to be seen\n".utf8), to: "x.db")
        #expect(throws: SinkError.self) { try store(path).write([self.sample()]) }
    }

    /// What opendmarc 1.4.2 of Debian 12 has written for mail like this; opendmarc-import reads it line by line.
    @Test(arguments: HistoryCase.all) func `the history file has OpenDMARC's lines`(
        _ one: HistoryCase
    ) throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("history")
        try HistoryFile(path: path).write([one.evaluation])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == one.lines + "\n")
        try HistoryFile(path: path).write([one.evaluation])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text + text)
    }
}

/// A time that a test sets.
final class Clock: Sendable {
    private let time: Mutex<Int64>

    init(_ time: Int64) { self.time = Mutex(time) }

    var now: Int64 {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// Lines from another thread.
final class LineBox: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
