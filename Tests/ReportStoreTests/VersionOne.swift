import Foundation
import TestKit
import Testing

@testable import ReportStore

/// A store as version 1 made it.
enum VersionOne {
    /// Its tables.
    private static let schema = """
        PRAGMA journal_mode = WAL;
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            received INTEGER NOT NULL,
            reporter TEXT NOT NULL,
            queue_id TEXT,
            source_address TEXT,
            helo TEXT,
            envelope_from TEXT,
            header_from TEXT NOT NULL,
            policy_domain TEXT,
            policy_applied TEXT,
            p TEXT, sp TEXT, np TEXT, adkim TEXT, aspf TEXT,
            testing INTEGER,
            discovery_method TEXT,
            rua TEXT,
            result TEXT NOT NULL,
            disposition TEXT NOT NULL,
            dkim_aligned INTEGER NOT NULL,
            spf_aligned INTEGER NOT NULL,
            arc TEXT NOT NULL
        );
        CREATE INDEX message_received ON message (received);
        CREATE TABLE authentication (
            message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            mechanism TEXT NOT NULL,
            domain TEXT NOT NULL,
            selector TEXT,
            scope TEXT,
            result TEXT NOT NULL,
            PRIMARY KEY (message, position)
        ) WITHOUT ROWID;
        CREATE TABLE override (
            message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            type TEXT NOT NULL,
            comment TEXT NOT NULL,
            PRIMARY KEY (message, position)
        ) WITHOUT ROWID;
        PRAGMA user_version = 1;
        """

    /// Makes one with 1,000 messages on ten days, of four kinds: with DKIM and SPF, with a reason, without a policy, without an
    /// address.
    static func make(_ path: String) throws {
        _ = try Command.require(
            "sqlite3",
            [
                path,
                schema + """
                    WITH RECURSIVE number (i) AS
                        (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 1000)
                    INSERT INTO message SELECT i, 1795000000 + 86400 * (i % 10), 'mx.example.org',
                        'Q' || i, iif(i % 4 = 3, NULL, '192.0.2.1'), 'mail.example.net',
                        iif(i % 4 = 1, NULL, 'bounce.example.net'), 'example.net',
                        iif(i % 4 = 2, NULL, 'example.net'), iif(i % 4 = 2, NULL, 'reject'),
                        iif(i % 4 = 2, NULL, 'reject'), NULL, NULL, iif(i % 4 = 2, NULL, 'r'),
                        iif(i % 4 = 2, NULL, 's'), iif(i % 4 = 2, NULL, 1),
                        iif(i % 4 = 2, NULL, 'treewalk'),
                        iif(i % 4 = 2, NULL, 'mailto:a@example.net mailto:b@example.net'),
                        'pass', 'none', 1, 0, 'none' FROM number;
                    INSERT INTO authentication SELECT id, 0, 'dkim', 'example.net', 's', NULL, 'pass'
                        FROM message;
                    INSERT INTO authentication SELECT id, 1, 'spf', 'bounce.example.net', NULL,
                        'mfrom', 'fail' FROM message;
                    INSERT INTO override SELECT id, 0, 'local_policy', 'why: not'
                        FROM message WHERE id % 4 = 1;
                    """,
            ])
    }
}

/// What becomes of a store of version 1.
@Suite struct VersionOneTests {
    private func sqlite(_ path: String, _ text: String) throws -> String {
        try Command.require("sqlite3", [path, text]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func evaluation() -> Evaluation {
        Evaluation(
            received: 1, reporter: "mx.example.org", headerFrom: "example.com", result: "none",
            disposition: "none")
    }

    @Test func `its messages are counted where they are`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        try VersionOne.make(path)
        let store = SQLiteReportStore(path: path)
        try store.write([evaluation()])
        while try store.tidy() {}
        #expect(try sqlite(path, "PRAGMA user_version") == "3")
        #expect(
            try sqlite(
                path, "SELECT count(*) FROM sqlite_schema WHERE name IN ('message', 'override')")
                == "0")
        #expect(
            try sqlite(path, "SELECT count(*), sum(messages) FROM evaluation WHERE day > '2000'")
                == "20|1000")
        #expect(
            try sqlite(
                path,
                """
                SELECT source_address, envelope_from, header_from, policy_domain, policy_applied, p,
                    sp, adkim, aspf, testing, discovery_method, fo, rua, result, disposition,
                    dkim_aligned, spf_aligned, arc, reasons, messages
                FROM evaluation WHERE day = '2026-11-19' ORDER BY source_address
                """)
                    == """
                    |bounce.example.net|example.net|example.net|reject|reject||r|s|1|treewalk||mailto:a@example.net mailto:b@example.net|pass|none|1|0|none||50
                    192.0.2.1||example.net|example.net|reject|reject||r|s|1|treewalk||mailto:a@example.net mailto:b@example.net|pass|none|1|0|none|local_policy: why: not|50
                    """)
        var found: [EvaluationCount] = []
        for policy in try store.policies(on: 20_776) {
            try store.counts(under: policy, on: 20_776) { found.append($0) }
        }
        #expect(found.map(\.messages) == [50, 50])
        #expect(found.last?.verdict.overrides == [.init(kind: "local_policy", comment: "why: not")])
        #expect(
            found.last?.verdict.authentications == [
                .init(mechanism: "dkim", domain: "example.net", selector: "s", result: "pass"),
                .init(
                    mechanism: "spf", domain: "bounce.example.net", scope: "mfrom", result: "fail"),
            ])
    }

    /// Wherever a run ends, the next one goes on: no message is lost, and none is counted twice.
    @Test(arguments: 0...6) func `it goes on where it was interrupted`(_ steps: Int) throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        try VersionOne.make(path)
        let first = SQLiteReportStore(path: path)
        try first.write([evaluation()])
        for _ in 0..<steps { _ = try first.tidy() }
        let second = SQLiteReportStore(path: path)
        try second.write([evaluation()])
        while try second.tidy() {}
        #expect(try sqlite(path, "SELECT sum(messages) FROM evaluation") == "1002")
        #expect(try sqlite(path, "SELECT count(*) FROM evaluation") == "21")
    }

    @Test func `the rest of version 1 does not count against the limit`() throws {
        let folder = try TemporaryDirectory("signet-store")
        let path = folder.file("reports.db")
        try VersionOne.make(path)
        _ = try sqlite(path, "UPDATE message SET helo = hex(zeroblob(2000))")
        let store = SQLiteReportStore(path: path, limit: 1 << 20)
        try store.write([evaluation()])
        while try store.tidy() {}
        #expect(try sqlite(path, "SELECT sum(messages) FROM evaluation") == "1001")
    }
}
