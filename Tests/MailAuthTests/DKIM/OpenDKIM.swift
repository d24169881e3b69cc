import Foundation
import TestKit

/// OpenDKIM as a second opinion, in its test mode: one child process for a batch of messages.
enum OpenDKIM {
    private static let program = "/usr/sbin/opendkim"

    /// Whether the filter is installed.
    static let isPresent = FileManager.default.isExecutableFile(atPath: program)

    /// What OpenDKIM says of each message, all of which have one key record.
    static func verify(_ messages: [Data], record: String) throws -> [String] {
        let output = try run(messages, ["Mode v", "TestPublicKeys KEYS"]) { scratch in
            try Data("test._domainkey.example.org \(record)\n".utf8)
                .write(to: scratch.appendingPathComponent("KEYS"))
        }
        return output.split(separator: "\n").filter { $0.contains("verification (") }
            .map(String.init)
    }

    /// The DKIM-Signature field for each message.
    static func sign(
        _ messages: [Data], key: Data, canonicalization: String, algorithm: String
    ) throws -> [String] {
        let settings = [
            "Mode s", "Domain example.org", "Selector test", "KeyFile KEY",
            "Canonicalization \(canonicalization)", "SignatureAlgorithm \(algorithm)",
            "RequireSafeKeys no",
        ]
        let output = try run(messages, settings) { scratch in
            try key.write(to: scratch.appendingPathComponent("KEY"))
        }
        // Each field comes after a line that names its message.
        return output.components(separatedBy: "\nopendkim: ").compactMap { part in
            part.range(of: "DKIM-Signature:").map { range in
                part[range.lowerBound...].replacingOccurrences(of: "\r", with: "")
                    .trimmingCharacters(in: .newlines) + "\n"
            }
        }
    }

    private static func run(
        _ messages: [Data], _ settings: [String], _ prepare: (URL) throws -> Void
    ) throws -> String {
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("opendkim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        try prepare(scratch)
        for (index, message) in messages.enumerated() {
            try message.write(to: scratch.appendingPathComponent("\(index)"))
        }
        let configuration = (settings + ["Syslog no", "Socket inet:0@localhost"])
            .joined(separator: "\n")
            .replacing("KEYS", with: scratch.appendingPathComponent("KEYS").path)
            .replacing("KeyFile KEY", with: "KeyFile \(scratch.appendingPathComponent("KEY").path)")
        let file = scratch.appendingPathComponent("conf")
        try Data("\(configuration)\n".utf8).write(to: file)

        let result = try Command.run(
            "sh",
            [
                "-c", "cd \"$1\" && exec \"$2\" -x \"$3\" -t \"$4\"", "sh", scratch.path, program,
                file.path, messages.indices.map(String.init).joined(separator: ","),
            ])
        return "\n" + result.output
    }
}
