import Foundation
import Testing

/// The sources of the suite, as the tests of its architecture read them.
enum Sources {
    private static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources")

    /// The names of the directories below Sources.
    static var modules: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(
                at: directory, includingPropertiesForKeys: [.isDirectoryKey]
            ).filter {
                try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
            }.map(\.lastPathComponent)
        }
    }

    /// All lines of the Swift files of a module.
    static func lines(of module: String) throws -> [Substring] {
        let files = FileManager.default.enumerator(
            at: directory.appending(path: module), includingPropertiesForKeys: nil)
        var lines: [Substring] = []
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            lines += try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        }
        return lines
    }
}
