import Foundation
import Synchronization
import TestKit
import Testing

@testable import ReportStore

/// Evaluations that the store cannot take for longer: they wait in a file, and none is lost or changed.
@Suite struct SpillTests {
    private func sample(_ number: Int = 0) -> Evaluation {
        var evaluation = Evaluation(
            received: 1_795_000_000 + Int64(number), reporter: "mx.example.org",
            headerFrom: "example.net", result: "fail", disposition: "none")
        evaluation.sourceAddress = "2001:db8::\(number)"
        return evaluation
    }

    /// With every field that there is.
    private var full: Evaluation {
        var evaluation = sample()
        evaluation.queueID = "4XyZ"
        evaluation.helo = "hélo\u{0}\n"
        evaluation.envelopeFrom = ""
        evaluation.envelopeTo = "example.org"
        evaluation.policy = Evaluation.Policy(
            domain: "example.net", applied: "reject", p: "reject", sp: "none", np: nil,
            adkim: "s", aspf: "r", isTesting: true, discovery: "psl",
            reportAddresses: ["mailto:a@example.net", "mailto:b@example.net"],
            failureOptions: "1:d", failureAddresses: ["mailto:f@example.net"])
        evaluation.isDKIMAligned = true
        evaluation.isDecidedByChain = true
        evaluation.arc = "pass"
        evaluation.seals = [.init(instance: 2, domain: "a.example", selector: "s")]
        evaluation.authentications = [
            .init(mechanism: "dkim", domain: "example.com", selector: "s", result: "pass"),
            .init(mechanism: "spf", domain: "example.net", scope: "helo", result: "softfail"),
        ]
        evaluation.overrides = [.init(kind: "other", comment: "\"a\"")]
        return evaluation
    }

    @Test func `an evaluation is read as it was written`() {
        for evaluation in [sample(), full] {
            let octets = EvaluationRecord.octets(of: evaluation)
            #expect(EvaluationRecord.evaluation(octets) == evaluation)
        }
    }

    @Test func `a record that is cut short or of another form is no evaluation`() {
        let octets = EvaluationRecord.octets(of: full)
        for length in 0..<octets.count {
            #expect(EvaluationRecord.evaluation(Array(octets.prefix(length))) == nil, "\(length)")
        }
        #expect(EvaluationRecord.evaluation([2] + octets.dropFirst()) == nil)
        // Any octet may be any other: that must not crash.
        for place in octets.indices {
            var damaged = octets
            damaged[place] = 0xFF
            _ = EvaluationRecord.evaluation(damaged)
        }
    }

    private func all(_ file: SpillFile) throws -> [Evaluation] {
        var found: [Evaluation] = []
        while !file.isEmpty {
            let (evaluations, place) = try file.next(atMost: 3)
            found += evaluations
            file.advance(to: place)
        }
        return found
    }

    @Test func `the file gives back what it was given, also to another process`() throws {
        let folder = try TemporaryDirectory("signet-spill")
        let path = folder.file("waiting")
        let evaluations = (0..<10).map(sample)
        let file = SpillFile(path: path, limit: 1 << 20)
        #expect(file.isEmpty)
        #expect(try file.append(Array(evaluations.prefix(6))) == 6)
        #expect(try file.append(Array(evaluations.dropFirst(6))) == 4)
        // Three of them are stored, and then the process ends.
        let (first, place) = try file.next(atMost: 3)
        file.advance(to: place)
        #expect(first == Array(evaluations.prefix(3)))
        let second = SpillFile(path: path, limit: 1 << 20)
        #expect(try all(second) == Array(evaluations.dropFirst(3)))
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try second.append([full]) == 1)
        #expect(try all(second) == [full])
    }

    @Test func `the file is bounded`() throws {
        let folder = try TemporaryDirectory("signet-spill")
        let path = folder.file("waiting")
        let file = SpillFile(path: path, limit: 1000)
        let count = try file.append((0..<100).map(sample))
        #expect((1..<20).contains(count))
        #expect(try file.append([sample()]) == 0)
        let size = try #require(
            FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)
        #expect(size.intValue <= 1000)
        #expect(try all(file).count == count)
    }

    @Test func `what a crash has left at its end is passed over, and a file that is gone is none`()
        throws
    {
        let folder = try TemporaryDirectory("signet-spill")
        let path = folder.file("waiting")
        let file = SpillFile(path: path, limit: 1 << 20)
        _ = try file.append([sample(1), sample(2)])
        var octets = Array(try Data(contentsOf: URL(filePath: path)))
        octets.removeLast(5)
        try Data(octets).write(to: URL(filePath: path))
        #expect(try all(SpillFile(path: path, limit: 1 << 20)) == [sample(1)])
        for text in [[], [1], Array("not a file of evaluations".utf8)] as [[UInt8]] {
            try Data(text).write(to: URL(filePath: path))
            #expect(try all(SpillFile(path: path, limit: 1 << 20)).isEmpty)
        }
        let third = SpillFile(path: path, limit: 1 << 20)
        _ = try third.append([sample()])
        try? FileManager.default.removeItem(atPath: path)
        #expect(try all(third).isEmpty)
    }

    /// A sink that fails for as long as it is told to.
    private final class Sink: EvaluationSink {
        let isAway: @Sendable () -> Bool
        let take: @Sendable ([Evaluation]) -> Void

        init(
            isAway: @escaping @Sendable () -> Bool, take: @escaping @Sendable ([Evaluation]) -> Void
        ) {
            self.isAway = isAway
            self.take = take
        }

        func write(_ evaluations: [Evaluation]) throws(SinkError) {
            if isAway() { throw SinkError("away") }
            take(evaluations)
        }
    }

    @Test func `what waits at the end of a process is written by the next`() throws {
        let folder = try TemporaryDirectory("signet-spill")
        let path = folder.file("waiting")
        let (lines, taken) = (LineBox(), Box())
        let first = EvaluationWriter(
            "ReportStore", spill: path, sink: { Sink(isAway: { true }, take: { _ in }) },
            report: { lines.add($0) })
        for number in 0..<2500 { first.add(sample(number)) }
        _ = try wait(for: "a line about the failure") { lines.all.isEmpty ? nil : true }
        first.close()
        #expect(lines.all == ["ReportStore: evaluations cannot be recorded: away"])
        let second = EvaluationWriter(
            "ReportStore", spill: path,
            sink: { Sink(isAway: { false }, take: { taken.add($0) }) },
            report: { Issue.record("\($0)") })
        _ = try wait(for: "the rest to be written") { taken.all.count == 2500 ? true : nil }
        second.close()
        #expect(taken.all == (0..<2500).map(sample))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a store that is away for longer takes nothing away`() throws {
        let folder = try TemporaryDirectory("signet-spill")
        let path = folder.file("missing/reports.db")
        let lines = LineBox()
        let writer = EvaluationWriter(
            "ReportStore", capacity: 100, spill: folder.file("waiting"),
            sink: { SQLiteReportStore(path: path) }, report: { lines.add($0) })
        for number in 0..<100 { writer.add(sample(number)) }
        // The second failure makes room in memory.
        _ = try wait(for: "the evaluations to go into the file", seconds: 30) {
            FileManager.default.fileExists(atPath: folder.file("waiting")) ? true : nil
        }
        _ = try wait(for: "room in the queue", seconds: 30) { () throws -> Bool? in
            let size =
                try FileManager.default.attributesOfItem(atPath: folder.file("waiting"))[.size]
                as? NSNumber
            return (size?.intValue ?? 0) > 5_000 ? true : nil
        }
        for number in 100..<150 { writer.add(sample(number)) }
        try FileManager.default.createDirectory(
            atPath: folder.file("missing"), withIntermediateDirectories: false)
        _ = try wait(for: "the store to be written", seconds: 120) {
            lines.all.contains { $0.contains("written again") } ? true : nil
        }
        writer.close()
        let sum = try Command.require("sqlite3", [path, "SELECT sum(messages) FROM evaluation"])
        #expect(sum == "150\n")
        #expect(!lines.all.contains { $0.contains("not recorded") })
        #expect(!FileManager.default.fileExists(atPath: folder.file("waiting")))
    }
}

/// Evaluations from another thread.
private final class Box: Sendable {
    private let evaluations = Mutex<[Evaluation]>([])

    var all: [Evaluation] { evaluations.withLock { $0 } }

    func add(_ more: [Evaluation]) { evaluations.withLock { $0 += more } }
}
