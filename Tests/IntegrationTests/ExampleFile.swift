import Foundation

/// A file of packaging/examples, as a private Postfix or a daemon can take it.
struct ExampleFile {
    /// All of it, comments included.
    let text: String

    private static let packaging = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("packaging")

    /// Reads a file by its path below packaging/examples.
    init(_ path: String) throws {
        text = try String(
            contentsOf: Self.packaging.appendingPathComponent("examples/\(path)"), encoding: .utf8)
    }

    /// The lines, each with those that continue it, without comments.
    var logicalLines: [String] {
        var lines: [String] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix(" "), let last = lines.popLast() {
                lines.append(last + line)
            } else {
                lines.append(String(line))
            }
        }
        return lines
    }

    /// The parameters of a main.cf.
    var settings: [String: String] {
        var settings: [String: String] = [:]
        for line in logicalLines {
            let parts = line.split(separator: "=", maxSplits: 1)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2 { settings[parts[0]] = parts[1] }
        }
        return settings
    }

    /// The configuration of a daemon as its package brings it.
    static func packagedConfiguration(_ name: String) throws -> String {
        try String(
            contentsOf: packaging.appendingPathComponent("conf/\(name).conf"), encoding: .utf8)
    }
}
