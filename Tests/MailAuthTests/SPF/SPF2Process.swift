import Foundation
import MailSyntax
import TestKit
import Testing

/// libspf2's opinions, from a child process: it is started again after each check that aborts it.
struct SPF2Process {
    /// A record of the zone that a check runs in.
    struct Record: Hashable {
        let name: String
        /// The type's number, as in RFC 1035.
        let type: Int
        /// An address, a name, or text.
        let data: String
    }

    /// One check.
    struct Check {
        let zone: [Record]
        let client: String
        let helo: String
        let sender: String
    }

    /// The witness, built beside the tests.
    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "SPF2Witness")

    /// The result's word for each check; "abort" where the process died of it.
    static func results(_ checks: [Check]) throws -> [String] {
        var results: [String] = []
        while results.count < checks.count {
            let answers = try run(checks[results.count...])
            results += answers
            if results.count < checks.count { results.append("abort") }
        }
        return results
    }

    /// Runs checks until the process ends, by the end of its input or before.
    private static func run(_ checks: ArraySlice<Check>) throws -> [String] {
        let result = try Command.run(
            executable.path, [], input: Array(checks.map(\.script).joined().utf8),
            // A stack trace for each abort would take longer than all checks together.
            environment: ["SWIFT_BACKTRACE": "enable=no"])
        // "(invalid)" is its word for a record that it did not parse.
        return result.output.split(separator: "\n").map {
            $0 == "(invalid)" ? "permerror" : String($0)
        }
    }
}

extension SPF2Process.Check {
    /// The check in the witness's language.
    fileprivate var script: String {
        zone.map { "record \($0.name) \($0.type) 0 \(Hex.encode($0.data.utf8))\n" }.joined()
            + "check \(client) \(Hex.encode(helo.utf8)) \(Hex.encode(sender.utf8))\n"
    }
}
