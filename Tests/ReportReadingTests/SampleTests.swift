import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportReading

/// The samples of real reports, read and compared with `samples.txt` beside this file.
@Suite struct SampleTests {
    private static let folder: URL? = {
        let vectors = ProcessInfo.processInfo.environment["SIGNET_VECTORS"].map {
            URL(filePath: $0)
        }
        let beside = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "shared/vectors")
        let folder = (vectors ?? beside).appending(path: "reports")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// What the table says of each file: its lines after the name.
    private static func table() throws -> [(file: String, lines: [String])] {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "samples.txt")
        var cases: [(file: String, lines: [String])] = []
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            if line.hasPrefix("    ") {
                cases[cases.count - 1].lines.append(String(line.dropFirst(4)))
            } else {
                cases.append((String(line), []))
            }
        }
        return cases
    }

    @Test(.enabled(if: folder != nil, "the samples of real reports are not there"))
    func `every sample is read as the table says`() throws {
        let folder = try #require(Self.folder)
        let table = try Self.table()
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter {
            !$0.hasSuffix("LICENSE") && !folder.appending(path: $0).hasDirectoryPath
                && !Self.isFolder(folder.appending(path: $0))
        }
        #expect(files.sorted() == table.map(\.file).sorted(), "the files of the table")
        for (file, lines) in table {
            let octets = try [UInt8](Data(contentsOf: folder.appending(path: file)))
            let name = String(file.split(separator: "/").last ?? "")
            let found = ReportReader.read(octets, name: name).flatMap(Self.lines)
            #expect(found == lines, "\(file):\n\(found.joined(separator: "\n"))")
        }
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true
    }

    /// What was found, as the table has it.
    static func lines(_ found: FoundReport) -> [String] {
        switch found {
        case .report(let report):
            let line =
                "\(report.kind.rawValue) \(report.domain) from \(report.reporter)"
                + " (\(report.reporterDomain)) \(report.id) \(report.begin)-\(report.end)"
                + " records \(report.records) messages \(report.messages)"
            return [line] + report.notes.map { "note: \($0)" }
        case .refused(let refusal):
            return ["refused \(refusal.kind?.rawValue ?? "-"): \(refusal.reason)"]
                + refusal.notes.map { "note: \($0)" }
        }
    }
}
