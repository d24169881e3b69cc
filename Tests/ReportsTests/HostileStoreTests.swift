import Foundation
import MailAuth
import MailDNS
import ReportStore
import TestKit
import Testing

@testable import Reports

/// Stores that are not as they were left, and clocks that jump: reports are late or missing then, never wrong, and no run crashes.
@Suite struct HostileStoreTests {
    private static let day = ReportTests.day
    private static let morning = SendingTests.morning

    private struct Host {
        let folder: TemporaryDirectory
        let sink = SendingTests.Sink()

        init() throws {
            folder = try TemporaryDirectory("signet-hostile")
            try store.write(
                (0..<300).map { number in
                    ReportTests.sample {
                        $0.sourceAddress = "192.0.2.\(number % 200)"
                        let domain = "d\(number % 30).example"
                        $0.policy = Evaluation.Policy(
                            domain: domain, applied: "reject", p: "reject",
                            reportAddresses: ["mailto:r@\(domain)"])
                    }
                })
        }

        var path: String { folder.file("reports.db") }
        var store: SQLiteReportStore { SQLiteReportStore(path: path) }

        func compose(_ outbox: any ReportOutbox, at time: Int64 = morning) throws -> Int {
            try ReportComposer(
                from: store, to: outbox, by: ReportTests.reporter, except: ReportExclusions()
            ).compose(HostileStoreTests.day, at: time).made
        }

        func send(
            _ outbox: any ReportOutbox, at time: Int64 = morning
        ) throws -> ReportSender.Tally {
            try ReportSender(
                outbox, by: ReportTests.reporter, except: ReportExclusions(),
                resolver: try ZoneResolver(parsing: "$ORIGIN .\n"), options: DMARCOptions(),
                handover: sink
            ).run(now: { time })
        }
    }

    @Test
    func `whatever is written over a part of the file, no run crashes or sends what is no report`()
        throws
    {
        for seed in 0..<40 {
            let host = try Host()
            // What is in the log goes into the file.
            _ = try Command.run("sqlite3", [host.path, "PRAGMA wal_checkpoint(TRUNCATE)"])
            let file = try FileHandle(forUpdating: URL(filePath: host.path))
            let size = try file.seekToEnd()
            try file.seek(toOffset: UInt64(seed * 7919) % max(1, size - 512))
            try file.write(
                contentsOf: Data((0..<512).map { UInt8(truncatingIfNeeded: $0 * seed + seed) }))
            try file.close()
            do {
                let outbox = try SQLiteReportOutbox(path: host.path)
                _ = try host.compose(outbox)
                _ = try host.send(outbox)
            } catch is SinkError {
            } catch is ReportError {
            }
            for mail in host.sink.mails {
                #expect(mail.text.hasPrefix("To: <"))
                #expect(mail.text.contains("\nContent-Type: application/gzip\n"))
            }
        }
    }

    @Test func `a store that somebody else holds puts everything off`() throws {
        let host = try Host()
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        let other = try ChildProcess(
            try Command.path(of: "python3"),
            [
                "-c",
                """
                import sqlite3, sys, time
                other = sqlite3.connect(sys.argv[1], isolation_level=None)
                other.execute("BEGIN IMMEDIATE")
                open(sys.argv[2], "w").close()
                time.sleep(60)
                """, host.path, host.folder.file("held"),
            ])
        _ = try wait(for: "the lock") {
            FileManager.default.fileExists(atPath: host.folder.file("held")) ? true : nil
        }
        #expect(throws: ReportError.self) { try host.send(outbox) }
        #expect(host.sink.mails.count == 1)
        _ = other.stop(signal: SIGKILL)
        // The one that could not be recorded is sent again, as it was; and no other twice.
        #expect(try host.send(outbox) == [.sent: 30])
        #expect(host.sink.mails.count == 31)
        #expect(Set(host.sink.mails.map(\.text)).count == 30)
    }

    @Test func `a store that is deleted is made anew by nobody but the daemon`() throws {
        let host = try Host()
        let outbox = try SQLiteReportOutbox(path: host.path)
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: host.path + suffix)
        }
        _ = try? host.compose(outbox)
        #expect(throws: SinkError.self) { try SQLiteReportOutbox(path: host.path) }
        #expect(!FileManager.default.fileExists(atPath: host.path))
    }

    @Test func `a clock that jumps a day either way sends each report once`() throws {
        let host = try Host()
        let outbox = try SQLiteReportOutbox(path: host.path)
        #expect(try host.compose(outbox) == 30)
        #expect(try host.send(outbox, at: Self.morning - 86_400).isEmpty)
        #expect(try host.compose(outbox, at: Self.morning - 86_400) == 0)
        #expect(try host.send(outbox, at: Self.morning + 86_400) == [.sent: 30])
        #expect(try host.compose(outbox, at: Self.morning + 86_400) == 0)
        #expect(try host.send(outbox, at: Self.morning).isEmpty)
        #expect(Set(host.sink.mails.map(\.recipient)).count == 30)
        #expect(host.sink.mails.count == 30)
    }
}
