import Configuration
import Foundation
import TestKit
import Testing
import Threads

@testable import FlightRecord

/// The record on disk, and what befalls it.
@Suite struct FlightStoreTests {
    private let folder: Folder
    private let directory: String

    init() throws {
        folder = try Folder()
        directory = folder.file("flight")
    }

    private func settings(_ change: (inout FlightSettings) -> Void = { _ in }) -> FlightSettings {
        var settings = FlightSettings(directory: directory)
        change(&settings)
        return settings
    }

    /// Records entries with these queue ids, and waits until they are written.
    private func record(
        _ ids: [String], _ settings: FlightSettings, at time: Int64? = nil, filling: String = ""
    ) throws -> [String] {
        let lines = Locked<[String]>([])
        let made = FlightRecorder(
            settings, daemon: .dkim, time: { time ?? FlightRecorder.systemTime() },
            report: { line in lines.withLock { $0.append(line) } })
        let recorder = try #require(made)
        for id in ids {
            recorder.record { entry in
                entry.add(.queueID, id)
                entry.add(.sender, "alice.secret@example.org")
                entry.add(.reason, filling)
            }
        }
        recorder.close()
        return lines.withLock { $0 }
    }

    private func recorder(_ report: @escaping @Sendable (String) -> Void) -> FlightRecorder? {
        FlightRecorder(settings(), daemon: .dkim, report: report)
    }

    private var reader: FlightReader { FlightReader(directories: [directory]) }

    private func ids(_ wanted: String...) -> [String] {
        reader.entries(with: wanted) { _ in true }.compactMap { $0[.queueID] }
    }

    private var files: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }

    private var size: Int {
        files.reduce(0) { total, name in
            total + (FileManager.default.contents(atPath: "\(directory)/\(name)")?.count ?? 0)
        }
    }

    @Test func whatIsRecordedIsFound() throws {
        #expect(try record(["A1", "B2", "C3"], settings()) == [])
        #expect(ids("B2") == ["B2"])
        #expect(ids("D4") == [])
        #expect(ids("alice.secret@example.org") == ["A1", "B2", "C3"])
        #expect(reader.entries { _ in true }.count == 3)
    }

    /// A fact is asked for by its kind: neither another fact of the same text counts nor a longer one.
    @Test func entriesAreFoundByAFact() throws {
        _ = try record(["A1", "A12", "B2"], settings(), filling: "A1")
        func ids(_ key: FlightKey, _ texts: String...) -> [String] {
            reader.entries(having: key, in: texts, limit: 10).compactMap { $0[.queueID] }
        }
        #expect(ids(.queueID, "A1") == ["A1"])
        #expect(ids(.queueID, "B2", "A12", "C3") == ["A12", "B2"])
        #expect(ids(.reason, "A1") == ["A1", "A12", "B2"])
        #expect(ids(.queueID, "A").isEmpty)
        #expect(
            reader.entries(having: .reason, in: ["A1"], limit: 2).compactMap { $0[.queueID] }
                == ["A12", "B2"])
        let later = FlightScope(since: FlightRecorder.systemTime() + 60_000_000)
        #expect(reader.entries(having: .reason, in: ["A1"], later, limit: 10).isEmpty)
    }

    @Test func restartGoesOnWithTheSegment() throws {
        for id in ["A1", "B2", "C3"] { _ = try record([id], settings()) }
        #expect(files.count == 1)
        #expect(reader.entries { _ in true }.compactMap { $0[.queueID] } == ["A1", "B2", "C3"])
    }

    @Test func entriesBehindACutOneAreFound() throws {
        _ = try record(["A1", "B2"], settings())
        let name = try #require(files.first)
        let path = "\(directory)/\(name)"
        let octets = try #require(FileManager.default.contents(atPath: path))
        try octets.dropLast(7).write(to: URL(fileURLWithPath: path))
        _ = try record(["C3"], settings())
        #expect(reader.entries { _ in true }.compactMap { $0[.queueID] } == ["A1", "C3"])
        #expect(ids("C3") == ["C3"])
    }

    @Test func theNewestAreKept() throws {
        let limited = settings { $0.limit = 1 << 20 }
        for round in 0..<40 {
            _ = try record(
                (0..<100).map { "R\(round)N\($0)." }, limited,
                filling: String(repeating: "x", count: 600))
            #expect(size <= 1 << 20)
        }
        #expect(ids("R39N99.") == ["R39N99."])
        #expect(ids("R0N0.") == [])
    }

    @Test func aHundredThousandMessagesKeepTheBounds() throws {
        let settings = settings { $0.limit = 8 << 20 }
        let made = FlightRecorder(settings, daemon: .dkim, report: { _ in })
        let recorder = try #require(made)
        let filling = String(repeating: "x", count: 400)
        for number in 0..<100_000 {
            // Faster than any mail comes: what waits is let through from time to time.
            if number % 1_000 == 0 {
                _ = try wait(for: "room") {
                    let tally = recorder.tally
                    return number - tally.written - tally.dropped < 2_000 ? true : nil
                }
            }
            recorder.record { entry in
                entry.add(.queueID, "Q\(number)")
                entry.add(.reason, filling)
            }
        }
        recorder.close()
        #expect(recorder.tally.written + recorder.tally.dropped == 100_000)
        #expect(recorder.tally.dropped == 0)
        let size = try FileManager.default.contentsOfDirectory(atPath: directory).reduce(0) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\($1)")
            return $0 + ((attributes[.size] as? Int) ?? 0)
        }
        #expect(size <= 8 << 20)
        let reader = FlightReader(directories: [directory])
        func ids(_ text: String) -> [String] {
            reader.entries(with: [text]) { $0[.queueID] == text }.compactMap { $0[.queueID] }
        }
        #expect(ids("Q99999") == ["Q99999"])
        #expect(ids("Q5") == [])
    }

    @Test func oldEntriesGo() throws {
        let start: Int64 = 1_764_000_000_000_000
        _ = try record(["A1"], settings(), at: start)
        // The file's own time tells its age: it is of now, whatever the clock of the test says.
        let name = try #require(files.first)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_764_000_000)],
            ofItemAtPath: "\(directory)/\(name)")
        _ = try record(["B2"], settings(), at: start + 13 * 86_400_000_000)
        #expect(reader.entries { _ in true }.count == 2)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_764_000_000)],
            ofItemAtPath: "\(directory)/\(name)")
        _ = try record(["C3"], settings(), at: start + 15 * 86_400_000_000)
        #expect(reader.entries { _ in true }.compactMap { $0[.queueID] } == ["B2", "C3"])
    }

    @Test func deletedDirectoryIsMadeAnew() throws {
        let recorder = try #require(recorder { _ in })
        recorder.record { $0.add(.queueID, "A1") }
        _ = try wait(for: "the entry") { ids("A1") == ["A1"] ? true : nil }
        try FileManager.default.removeItem(atPath: directory)
        recorder.record { $0.add(.queueID, "B2") }
        recorder.close()
        #expect(ids("B2") == ["B2"])
    }

    @Test func recordThatCannotBeWrittenIsTold() throws {
        try folder.write("flight", "a file in the directory's place")
        let lines = try record(["A1", "B2"], settings())
        #expect(lines == ["FlightRecord: 2 entries were not recorded: Not a directory"])
    }

    @Test func whatWaitsIsBounded() throws {
        let held = Latch()
        let lines = Locked<[String]>([])
        let recorder = try #require(recorder { line in lines.withLock { $0.append(line) } })
        let isHolding = Latch()
        recorder.record { _ in
            isHolding.open()
            held.wait(until: .distantFuture)
        }
        #expect(isHolding.wait(until: .now() + 60))
        for _ in 0..<FlightRecorder.capacity + 5 { recorder.record { $0.add(.queueID, "A1") } }
        held.open()
        recorder.close()
        #expect(
            lines.withLock { $0 } == [
                "FlightRecord: 5 entries were not recorded: they came faster than they could be written"
            ])
    }

    @Test func whatStoriesHoldIsBounded() throws {
        let held = Latch()
        let recorder = try #require(recorder { _ in })
        let isHolding = Latch()
        recorder.record(holding: FlightRecorder.room / 2) { _ in
            isHolding.open()
            held.wait(until: .distantFuture)
        }
        #expect(isHolding.wait(until: .now() + 60))
        // What is being written counts, too: the disk may take nothing for hours.
        for _ in 0..<10 { recorder.record(holding: FlightRecorder.room / 4) { _ in } }
        recorder.record { $0.add(.queueID, "A1") }
        #expect(recorder.tally.dropped == 8)
        held.open()
        _ = try wait(for: "the entries") { ids("A1") == ["A1"] ? true : nil }
        _ = try wait(for: "room for another") {
            recorder.record(holding: FlightRecorder.room) { $0.add(.queueID, "B2") }
            return ids("B2").isEmpty ? nil : true
        }
        recorder.close()
    }

    @Test func segmentOfNothingButHeadsEndsTheSearch() throws {
        _ = try record(["A1"], settings())
        let name = try #require(files.first)
        // Each says that an entry of the greatest length follows: to look at all would take hours.
        let head = FlightFrame.mark + [0, 0, 4, 0, 1, 2, 3, 4]
        let heads = [[UInt8]](repeating: head, count: 1_000_000).joined()
        let file = try #require(FileHandle(forWritingAtPath: "\(directory)/\(name)"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(heads))
        try file.close()
        let start = MonotonicTime.now()
        #expect(ids("A1") == ["A1"])
        #expect(reader.entries { _ in true }.count == 1)
        #expect(MonotonicTime.now().seconds(since: start) < 300)
    }

    @Test func defaultDirectoryWithoutItsParentIsNoRecord() {
        var settings = FlightSettings(directory: folder.file("absent/flight"))
        settings.isNamed = false
        #expect(FlightRecorder(settings, daemon: .dkim, report: { _ in }) == nil)
    }

    @Test(arguments: FlightPrivacy.allCases)
    func filesTellWhatPrivacyAllows(_ privacy: FlightPrivacy) throws {
        _ = try record(["A1"], settings { $0.privacy = privacy })
        let isNamed = files.contains { name in
            let octets = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data()
            return octets.range(of: Data("alice.secret".utf8)) != nil
        }
        #expect(isNamed == (privacy == .full))
        #expect(ids("A1") == ["A1"])
        let found = reader.entries(with: ["alice.secret@example.org"]) { _ in true }
        #expect(found.count == (privacy == .strict ? 0 : 1))
    }

    @Test func linksAreNotFollowed() throws {
        _ = try record(["A1"], settings())
        let name = try #require(files.first)
        let moved = folder.file("elsewhere")
        try FileManager.default.moveItem(atPath: "\(directory)/\(name)", toPath: moved)
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory)/\(name)", withDestinationPath: moved)
        #expect(ids("A1") == [])
    }

    @Test func directivesAreRead() throws {
        let file = folder.file("x.conf")
        try folder.write(
            "x.conf", "FlightRecord /tmp/x\nFlightRecordLimit 2M\nFlightRecordPrivacy Strict\n")
        let schema = ConfigurationSchema(FlightSettings.directives(.spf))
        let reader = ConfigurationReader(schema: schema, file: file)
        let settings = FlightSettings(reader)
        #expect(reader.problems.isEmpty)
        #expect(settings.directory == "/tmp/x")
        #expect(settings.limit == 2 << 20)
        #expect(settings.privacy == .strict)
        for wrong in ["FlightRecord tmp", "FlightRecordLimit 1", "FlightRecordLimit M"] {
            try folder.write("x.conf", wrong + "\n")
            let reader = ConfigurationReader(schema: schema, file: file)
            _ = FlightSettings(reader)
            #expect(reader.problems.hasErrors, "\(wrong)")
        }
    }
}
