import Foundation
import TestKit

/// postconf(1) on a configuration of its own: what our reading and our edits are compared with.
final class PostconfOracle {
    private let directory: TemporaryDirectory

    init(main: [UInt8] = [], master: [UInt8] = []) throws {
        directory = try TemporaryDirectory("signet-postconf")
        for (name, octets) in [("main.cf", main), ("master.cf", master)] {
            let path = try directory.write(octets, to: name)
            // Postfix's programs wait until main.cf is a second old.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path)
        }
    }

    /// Runs `postconf -c DIRECTORY` with more arguments.
    @discardableResult
    func run(_ arguments: [String]) throws -> String {
        try Command.require("postconf", ["-c", directory.path] + arguments)
    }

    /// What `postconf` prints as `name = value`.
    func values(_ arguments: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for line in try run(arguments).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[parts[0].trimmingCharacters(in: .whitespaces)] = parts.dropFirst().joined()
                .trimmingCharacters(in: .whitespaces)
        }
        values["config_directory"] = nil
        return values
    }

    /// A file as it is now.
    func octets(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: directory.file(name))))
    }
}

/// The configuration files beside the tests.
enum SampleFile {
    static let mains = ["lines", "expansion", "twice"]

    static func octets(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Files")
        return Array(try Data(contentsOf: folder.appending(path: name)))
    }

    static func main(_ name: String) throws -> [UInt8] { try octets("\(name).main.cf") }
}

extension String {
    /// The text as postconf prints it: each run of white space as one space.
    var collapsingSpace: String {
        split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
