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

    @Test func `a file that is no database is told`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = try folder.write(
            Array("not a database, and long enough to be seen\n".utf8), to: "x.db")
        #expect(throws: SinkError.self) { try ReportStore(path: path).write([self.sample()]) }
    }

    @Test func `the history file has OpenDMARC's lines`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("history")
        try HistoryFile(path: path).write([sample()])
        #expect(
            try String(contentsOfFile: path, encoding: .utf8) == """
                job 4XyZ
                reporter mx.example.org
                received 1795000000
                ipaddr 192.0.2.1
                from example.net
                mfrom bounce.example.net
                dkim example.com s 0
                spf 2
                pdomain example.net
                policy 16
                rua mailto:a@example.net
                rua mailto:b@example.net
                pct 100
                adkim 114
                aspf 114
                p 114
                sp 110
                align_dkim 5
                align_spf 4
                arc 6
                arc_policy 1 json:[]
                action 4

                """)
    }
}

/// Lines from another thread.
final class LineBox: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
