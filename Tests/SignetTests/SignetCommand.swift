import Foundation
import TestKit

/// The command `signet`, run in a directory of its own.
enum SignetCommand {
    /// What a run left.
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// The output as one JSON object.
        func object() throws -> [String: Any]? {
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        }
    }

    /// Runs the command with these files in its working directory; arguments name them without a path.
    static func run(
        _ arguments: [String], files: [String: String] = [:], input: String = "",
        environment: [String: String]? = nil
    ) throws -> Result {
        let directory = try TemporaryDirectory("signet-command")
        for (name, contents) in files { _ = try directory.write(Array(contents.utf8), to: name) }
        let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "signet").path
        let placed = arguments.map { files.keys.contains($0) ? directory.file($0) : $0 }
        let result = try Command.run(
            command, placed, input: Array(input.utf8), environment: environment)
        guard case .exited(let status) = result.end else {
            throw TestKitError("signet ended with \(result.end)")
        }
        return Result(status: status, output: result.output, errors: result.errors)
    }
}
