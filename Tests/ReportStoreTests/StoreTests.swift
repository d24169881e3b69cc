import Foundation
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

    @Test func `an evaluation is a row with its results and reasons`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let store = ReportStore(path: path)
        try store.write([sample(), sample(1)])
        #expect(try sqlite(path, "PRAGMA user_version") == "1")
        #expect(
            try sqlite(
                path,
                "SELECT header_from, policy_domain, p, sp, np IS NULL, rua, spf_aligned, testing FROM message WHERE received > 1"
            )
                == "example.net|example.net|reject|none|1|mailto:a@example.net mailto:b@example.net|1|0"
        )
        #expect(try sqlite(path, "SELECT count(*) FROM authentication") == "4")
        #expect(
            try sqlite(path, "SELECT comment FROM override LIMIT 1")
                == "it's \"quoted\"; DROP TABLE")
    }

    @Test func `a store of a later release is left alone`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        _ = try sqlite(path, "PRAGMA user_version = 99; CREATE TABLE x (y)")
        #expect(throws: SinkError.self) { try ReportStore(path: path).write([self.sample()]) }
        #expect(try sqlite(path, "PRAGMA user_version") == "99")
    }

    @Test func `what fails is told, kept, and written once it can be`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("missing/reports.db")
        let box = LineBox()
        let writer = EvaluationWriter(
            "ReportStore", capacity: 2, sink: { ReportStore(path: path) }, report: { box.add($0) })
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
        #expect(try sqlite(path, "SELECT count(*) FROM message") == "2")
    }

    @Test func `an end writes what waits`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let writer = EvaluationWriter(
            "ReportStore", sink: { ReportStore(path: path) }, report: { Issue.record("\($0)") })
        for index in 0..<1200 { writer.add(sample(Int64(index))) }
        writer.close()
        #expect(try sqlite(path, "SELECT count(*), max(received) FROM message") == "1200|1199")
    }

    @Test func `what is older than the retention goes bit by bit, with all that belongs to it`()
        throws
    {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let clock = Clock(1_000_000_000)
        let store = ReportStore(path: path, keepingDays: 30) { clock.now }
        #expect(try !store.tidy())
        let old = clock.now - 30 * 86_400 - 1
        try store.write((0..<1200).map { _ in sample(old) } + [sample(old + 1), sample(clock.now)])
        #expect(try store.tidy())
        #expect(try store.tidy())
        #expect(try !store.tidy())
        #expect(try sqlite(path, "SELECT count(*), min(received) FROM message") == "2|\(old + 1)")
        #expect(try sqlite(path, "SELECT count(*) FROM authentication") == "4")
        #expect(try sqlite(path, "SELECT count(*) FROM override") == "2")
        // Again in an hour.
        clock.now += 3599
        #expect(try !store.tidy())
        #expect(try sqlite(path, "SELECT count(*) FROM message") == "2")
        clock.now += 1
        #expect(try !store.tidy())
        #expect(try sqlite(path, "SELECT count(*) FROM message") == "1")
        // The room is used again.
        let size = try sqlite(path, "PRAGMA page_count")
        try store.write((0..<1000).map { _ in sample(clock.now) })
        #expect(try sqlite(path, "PRAGMA page_count") == size)
    }

    @Test func `without a retention everything stays`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let store = ReportStore(path: path)
        try store.write([sample(1)])
        #expect(try !store.tidy())
        #expect(try sqlite(path, "SELECT count(*) FROM message") == "1")
    }

    @Test func `the writer tidies when it has written`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        let writer = EvaluationWriter(
            "ReportStore", sink: { ReportStore(path: path, keepingDays: 1) },
            report: { Issue.record("\($0)") })
        for index in 0..<1200 { writer.add(sample(Int64(index))) }
        _ = try wait(for: "old evaluations to go") {
            try? sqlite(path, "SELECT count(*) FROM message") == "0" ? true : nil
        }
        writer.close()
    }

    @Test func `a file that is no database is told`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = try folder.write(
            Array("not a database, and long enough to be seen\n".utf8), to: "x.db")
        #expect(throws: SinkError.self) { try ReportStore(path: path).write([self.sample()]) }
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
