import Foundation
import TestKit
import Testing

/// What `signet check`, `signet spf` and `signet scrub` print for people, as the folder Transcripts has it for two widths.
struct TranscriptTests {
    /// A line of Transcripts/commands.
    struct Transcript: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [String]
        let columns: Int

        var testDescription: String { "\(name), \(columns) columns" }
    }

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Transcripts")

    static let transcripts: [Transcript] = {
        let commands = try? String(
            contentsOf: folder.appendingPathComponent("commands"), encoding: .utf8)
        return (commands ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }
            .flatMap { line in
                let words = line.split(separator: " ").map(String.init)
                return [80, 120].map {
                    Transcript(name: words[0], arguments: Array(words.dropFirst()), columns: $0)
                }
            }
    }()

    private static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// The command line, with the folder's files in their places.
    private static func commandLine(_ transcript: Transcript) -> [String] {
        transcript.arguments.map {
            FileManager.default.fileExists(atPath: path($0)) ? path($0) : $0
        }
    }

    private static let signet = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "signet").path

    @Test func `the folder has transcripts`() { #expect(Self.transcripts.count >= 20) }

    @Test(arguments: transcripts)
    func `the output is the transcript`(_ transcript: Transcript) throws {
        let run = try Command.run(
            Self.signet, Self.commandLine(transcript),
            environment: ["COLUMNS": "\(transcript.columns)"])
        let expected = try String(
            contentsOfFile: Self.path("\(transcript.name).\(transcript.columns)"), encoding: .utf8)
        #expect(run.output == expected)
        #expect(run.errors.isEmpty)
    }

    @Test(arguments: transcripts.filter { !$0.arguments.contains("-v") })
    func `no line is longer than the terminal is wide`(_ transcript: Transcript) throws {
        let text = try String(
            contentsOfFile: Self.path("\(transcript.name).\(transcript.columns)"), encoding: .utf8)
        for line in text.split(separator: "\n") { #expect(line.count <= transcript.columns) }
    }

    @Test(arguments: ["check-forged", "spf-fail", "scrub"])
    func `colour is for terminals, and what is there is the same`(_ name: String) throws {
        let transcript = try #require(Self.transcripts.first { $0.name == name })
        let words = ([Self.signet] + Self.commandLine(transcript)).map { "'\($0)'" }
        // script(1) gives the command a terminal.
        let terminal = try Command.run(
            "/usr/bin/script",
            ["-qec", "stty cols 80; \(words.joined(separator: " "))", "/dev/null"],
            environment: ["PATH": "/usr/bin:/bin", "TERM": "xterm"])
        #expect(terminal.output.contains("\u{1B}[3"))
        let plain = terminal.output.replacing("\r\n", with: "\n")
            .replacing(/\u{1B}\[[0-9]+m/, with: "")
        let expected = try String(contentsOfFile: Self.path("\(name).80"), encoding: .utf8)
        #expect(plain == expected)
        for (key, value) in ["NO_COLOR": "1", "TERM": "dumb"] {
            let without = try Command.run(
                "/usr/bin/script",
                ["-qec", words.joined(separator: " "), "/dev/null"],
                environment: ["PATH": "/usr/bin:/bin", key: value])
            #expect(!without.output.contains("\u{1B}"))
        }
    }
}
