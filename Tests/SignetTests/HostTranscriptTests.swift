import Foundation
import TestKit
import Testing

/// What `signet doctor`, `setup` and `migrate` print for people, as the folder HostTranscripts has it for two widths.
@Suite struct HostTranscriptTests {
    /// A line of HostTranscripts/commands.
    struct Transcript: CustomTestStringConvertible, Sendable {
        let name: String
        let tree: String
        /// Command lines; what the last prints is the transcript.
        let commands: [[String]]
        let columns: Int

        var testDescription: String { "\(name), \(columns) columns" }
    }

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("HostTranscripts")

    static let transcripts: [Transcript] = {
        let text = try? String(
            contentsOf: folder.appendingPathComponent("commands"), encoding: .utf8)
        return (text ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }.flatMap { line in
            let words = line.split(separator: " ").map(String.init)
            let commands = words.dropFirst(2).split(separator: "&&").map(Array.init)
            return [80, 120].map {
                Transcript(name: words[0], tree: words[1], commands: commands, columns: $0)
            }
        }
    }()

    private static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private static func text(_ transcript: Transcript) throws -> String {
        try String(
            contentsOfFile: path("\(transcript.name).\(transcript.columns)"), encoding: .utf8)
    }

    @Test(arguments: transcripts)
    func `the output is the transcript`(_ transcript: Transcript) throws {
        let directory = try TemporaryDirectory("signet-transcript")
        let root = directory.file("host")
        try Command.require("cp", ["-r", Self.path(transcript.tree), root])
        try Self.closeKeys(below: root)
        var output = ""
        for command in transcript.commands {
            let words = command.map {
                $0.hasSuffix(".zone") ? Self.path($0) : $0
            }
            let run = try Command.run(
                DaemonProcess.path(of: "signet"), words + ["--root", root],
                environment: ["COLUMNS": "\(transcript.columns)"])
            output = run.output + (run.errors.isEmpty ? "" : "(errors)\n\(run.errors)")
        }
        if ProcessInfo.processInfo.environment["SIGNET_RECORD"] == "yes" {
            try output.write(
                toFile: Self.path("\(transcript.name).\(transcript.columns)"), atomically: true,
                encoding: .utf8)
        }
        #expect(try Self.text(transcript) == output)
    }

    /// Gives the keys of a tree to its signer alone, as far as whoever runs the tests may.
    private static func closeKeys(below root: String) throws {
        let keys = "\(root)/etc/signet/keys"
        guard FileManager.default.fileExists(atPath: keys) else { return }
        let script =
            getuid() == 0
            ? "find \(keys) -name '*.private' -exec chown 990:991 {} +"
            : "sed -i 's/^signet-dkim:x:990:/signet-dkim:x:\(getuid()):/' \(root)/etc/passwd"
        try Command.require(
            "/bin/sh", ["-c", "find \(keys) -name '*.private' -exec chmod 0600 {} + && \(script)"])
    }

    /// What is there to be copied would be something else if it were wrapped.
    private static func isCopied(_ line: Substring) -> Bool {
        // Lines of a zone and their comments, of the mend that is one line, of differences, and commands.
        line.contains("\t")
            || ["; ", "next: ", "  mend  ", "  +", "  -", "   ", "  postconf ", "  systemctl "]
                .contains {
                    line.hasPrefix($0) && !line.hasPrefix("        ")
                }
    }

    @Test(arguments: transcripts)
    func `only what is to be copied is wider than the terminal`(_ transcript: Transcript) throws {
        for line in try Self.text(transcript).split(separator: "\n") {
            #expect(line.count <= transcript.columns || Self.isCopied(line))
        }
    }
}
