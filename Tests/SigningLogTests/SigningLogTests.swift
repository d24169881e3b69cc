import Foundation
import TestKit
import Testing
import Threads

@testable import SigningLog

/// What was signed is counted once, survives what may happen to a file, and is bounded.
@Suite struct SigningLogTests {
    private static let rsa = SigningLog.Signature(
        domain: "example.org", selector: "s1", algorithm: "rsa-sha256")
    private static let ed = SigningLog.Signature(
        domain: "example.org", selector: "e1", algorithm: "ed25519-sha256")

    private func log(_ directory: String, day: Int64 = 20_000) throws -> SigningLog {
        let log = SigningLog(
            SigningLogSettings(directory: directory), seconds: { day * 86_400 + 7 },
            report: { Issue.record("\($0)") })
        return try #require(log)
    }

    @Test func `messages and signatures are counted for each domain they go to`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        let directory = folder.file("signed")
        for day in [20_000, 20_001] as [Int64] {
            let log = try log(directory, day: day)
            log.add([Self.rsa, Self.ed], to: ["a.example", "b.example"])
            log.add([Self.rsa], to: ["a.example"])
            log.add([Self.rsa], to: [])
            log.close()
        }
        let text = try String(contentsOfFile: "\(directory)/20000.signed", encoding: .utf8)
        #expect(
            text.split(separator: "\n").sorted() == [
                "example.org e1 ed25519-sha256 a.example 1 0",
                "example.org e1 ed25519-sha256 b.example 1 0",
                "example.org s1 rsa-sha256 - 1 1", "example.org s1 rsa-sha256 a.example 2 2",
                "example.org s1 rsa-sha256 b.example 1 1",
            ])
        let ledger = try #require(try SigningLedger.read([directory], since: 20_001))
        #expect(ledger.first == 20_000)
        #expect(ledger.messages(of: "example.org", in: 20_001...30_000) == 4)
        #expect(ledger.messages(of: "example.org", in: 0...30_000) == 8)
        #expect(ledger.recipientDomains(of: "example.org", in: 20_001...30_000) == 2)
        #expect(ledger.algorithm(domain: "example.org", selector: "e1") == "ed25519-sha256")
        let attributes = try FileManager.default.attributesOfItem(
            atPath: "\(directory)/20000.signed")
        #expect(attributes[.posixPermissions] as? Int == 0o640)
    }

    @Test func `a ledger knows what may have come when`() {
        func count(_ day: Int64, _ selector: String, _ to: String) -> (
            SigningCount, SigningNumbers
        ) {
            (
                SigningCount(
                    day: day, domain: "example.org", selector: selector, algorithm: "rsa-sha256",
                    recipient: to), SigningNumbers(signatures: 1, messages: 1)
            )
        }
        let ledger = SigningLedger([
            count(100, "old", "a.example"), count(120, "new", "mx.lists.example"),
        ])
        #expect(ledger.covers(100) && !ledger.covers(99))
        let cases: [(String, ClosedRange<Int64>, Bool)] = [
            ("old", 100...100, true), ("old", 99...99, false), ("old", 105...105, true),
            ("old", 106...106, false), ("old", 90...400, true), ("new", 101...119, false),
            ("new", 119...120, true), ("", 121...121, true), ("", 110...110, false),
            ("else", 0...400, false),
        ]
        for (selector, days, expected) in cases {
            #expect(
                ledger.hasSigned(domain: "example.org", selector: selector, in: days) == expected,
                "\(selector) \(days)")
        }
        #expect(!ledger.hasSigned(domain: "example.net", selector: "", in: 0...400))
    }

    /// A daemon that is killed leaves half a line, and a disk that is damaged anything at all.
    @Test func `damaged lines cost themselves alone`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        let long = String(repeating: "x", count: 5000)
        try folder.write(
            """
            example.org s1 rsa-sha256 a.example 2 2
            example.org s1 rsa-sha256 a.example 99999999999999999999 1
            example.org s1 rsa-sha256 a.example 1 2
            example.org s1 rsa-sha256 a.example -1 -1
            example.org  rsa-sha256 a.example 1 1
            \(long)
            \u{0}\u{1B}[2J
            example.org s1 rsa-sha256 a.example 3 3
            example.org s1 rsa-sha2
            """, to: "20000.signed")
        try folder.write("x", to: "notes.signed")
        let signed = SigningFolder(path: folder.path)
        #expect(signed.days() == [20_000])
        let counts = try signed.counts(of: 20_000)
        #expect(counts.values.map(\.messages) == [5])
        #expect(try SigningLedger.read([folder.file("none")], since: 0) == nil)
        // Root follows no link that a daemon has laid.
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("20001.signed"), withDestinationPath: "/etc/hostname")
        #expect(throws: SigningLogError.self) { try signed.counts(of: 20_001) }
    }

    @Test func `a file is put in order when it has doubled, and old ones go`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        let signed = SigningFolder(path: folder.file("signed"))
        var counts: [SigningCount: SigningNumbers] = [:]
        for number in 0..<2000 {
            let count = SigningCount(
                day: 20_000, domain: "example.org", selector: "s1", algorithm: "rsa-sha256",
                recipient: "recipient\(number).example")
            counts[count] = SigningNumbers(signatures: 1, messages: 1)
        }
        var largest: UInt64 = 0
        for _ in 0..<50 {
            var added = counts
            try signed.append(&added)
            #expect(added.isEmpty)
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.file("signed/20000.signed"))
            largest = max(largest, attributes[.size] as? UInt64 ?? 0)
        }
        // 2,000 lines have some 100 kB; appended fifty times they would be 5 MB.
        #expect(largest < 600_000, "\(largest)")
        let read = try signed.counts(of: 20_000)
        #expect(read.count == 2000)
        #expect(read.values.allSatisfy { $0.messages == 50 })
        try signed.tidy(today: 20_001)
        #expect(try signed.counts(of: 20_000) == read)
        try signed.tidy(today: 20_000 + SigningFolder.mostDays + 1)
        #expect(signed.days().isEmpty)
    }

    @Test func `a file that cannot be put in order makes nothing be counted twice`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        let directory = folder.file("signed")
        try FileManager.default.createDirectory(
            atPath: "\(directory)/19999.signed", withIntermediateDirectories: true)
        try Data("x\n".utf8).write(to: URL(fileURLWithPath: "\(directory)/19000.signed"))
        let lines = Locked<[String]>([])
        let started = SigningLog(
            SigningLogSettings(directory: directory), seconds: { 20_000 * 86_400 },
            report: { line in lines.withLock { $0.append(line) } })
        let log = try #require(started)
        for _ in 0..<2 {
            log.add([Self.rsa], to: ["a.example"])
            _ = try wait(for: "the counts") {
                FileManager.default.fileExists(atPath: "\(directory)/20000.signed") ? true : nil
            }
        }
        log.close()
        let text = try String(contentsOfFile: "\(directory)/20000.signed", encoding: .utf8)
        #expect(text.split(separator: "\n").count <= 2)
        let counts = try SigningFolder(path: directory).counts(of: 20_000)
        #expect(counts.values.reduce(0) { $0 + $1.messages } == 2)
        #expect(lines.withLock { $0.count } == 1)
        // What is too old has gone all the same.
        #expect(!FileManager.default.fileExists(atPath: "\(directory)/19000.signed"))
    }

    /// A host whose log begins later, or has nothing, is one of which nobody knows what it has signed.
    @Test func `the logs of several hosts are added up`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        for (host, days) in [("a", [20_000, 20_001]), ("b", [20_001])] {
            var counts: [SigningCount: SigningNumbers] = [:]
            for day in days {
                let count = SigningCount(
                    day: Int64(day), domain: "example.org", selector: host,
                    algorithm: "rsa-sha256", recipient: "r.example")
                counts[count] = SigningNumbers(signatures: 2, messages: 2)
            }
            try SigningFolder(path: folder.file(host)).append(&counts)
        }
        let hosts = ["a", "b"].map { folder.file($0) }
        let ledger = try #require(try SigningLedger.read(hosts, since: 0))
        #expect(ledger.messages(of: "example.org", in: 20_000...20_001) == 6)
        #expect(ledger.hasSigned(domain: "example.org", selector: "b", in: 20_001...20_001))
        #expect(ledger.covers(20_001) && !ledger.covers(20_000))
        #expect(try SigningLedger.read(hosts + [folder.file("none")], since: 0) == nil)
    }

    @Test func `too many recipients are put together`() {
        var counts: [SigningCount: SigningNumbers] = [:]
        for number in 0..<SigningFolder.mostCounts + 10 {
            SigningFolder.add(
                SigningNumbers(signatures: 1, messages: 1),
                of: SigningCount(
                    day: 1, domain: "example.org", selector: "s", algorithm: "rsa-sha256",
                    recipient: "r\(number).example"), to: &counts)
        }
        #expect(counts.count == SigningFolder.mostCounts + 1)
        #expect(
            counts.values.reduce(0) { $0 + $1.messages } == Int64(SigningFolder.mostCounts + 10))
    }

    /// Nobody waits for a directory that is not there; it is said, and what was counted waits for it.
    @Test func `a disk that takes nothing is said once`() throws {
        let folder = try TemporaryDirectory("signet-signed")
        let lines = LockedLines()
        let log = SigningLog(
            SigningLogSettings(directory: folder.file("missing/signed")), seconds: { 0 },
            report: { lines.add($0) })
        log?.add([Self.rsa], to: ["a.example"])
        log?.close()
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasPrefix("SigningLog: signatures cannot be counted: ") == true)
    }
}

/// Lines that another thread reports.
private final class LockedLines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    func add(_ line: String) { lock.withLock { lines.append(line) } }
    var all: [String] { lock.withLock { lines } }
}
