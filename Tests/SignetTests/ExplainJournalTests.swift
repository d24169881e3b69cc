import Foundation
import TestKit
import Testing

/// `signet explain` on a host that has the MTA's log in the journal alone.
@Suite("signet explain, the journal")
struct ExplainJournalTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory("signet-journal") }

    private static func line(_ second: Int, _ text: String) -> String {
        "17642500\(second).000000 host postfix/smtp[1]: \(text)"
    }

    /// The newest first, as journalctl gives them with --reverse.
    private static let lines = [
        line(30, "4Q1XY: removed"),
        line(
            20,
            "4Q1XY: to=<b@example.com>, relay=mx.example.com[192.0.2.1]:25, "
                + "status=sent (250 Ok: queued as 9Z1)"
        ), line(10, "4Q1XY: from=<a@example.org>, size=500, nrcpt=1 (queue active)"),
    ]

    /// Asks with a program in place of journalctl.
    private func explain(
        _ script: String, _ arguments: String...
    ) throws -> SignetCommand.Result {
        try folder.write(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >\(folder.file("asked"))\n\(script)",
            to: "journalctl", mode: 0o755)
        return try SignetCommand.run(
            ["explain", "--config", folder.path, "--journalctl", folder.file("journalctl")]
                + arguments)
    }

    private func asked() throws -> [String] {
        try String(contentsOfFile: folder.file("asked"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    private func seconds(_ name: String) throws -> Int? {
        try asked().first { $0.hasPrefix("--\(name)=@") }
            .flatMap { Int($0.dropFirst(name.count + 4)) }
    }

    private static func script(_ lines: [String]) -> String {
        "cat <<'END'\n\(lines.joined(separator: "\n"))\nEND\n"
    }

    @Test func `the journal's newest lines are asked for, and no more than the span`() throws {
        let now = Int(Date().timeIntervalSince1970)
        let since = "\(now - 1_764_240_000)s"
        let result = try explain(Self.script(Self.lines), "4Q1XY", "--since", since)
        #expect(
            result.output.hasPrefix(
                "Delivered to b@example.com by mx.example.com, there queued as 9Z1; no daemon"),
            "\(result.errors)")
        let first = try #require(try seconds("since"))
        #expect((1_764_240_000...1_764_240_600).contains(first))
        #expect(try seconds("until") == nil)
        let arguments = try asked()
        #expect(arguments.contains("--reverse") && arguments.contains("SYSLOG_FACILITY=2"))
        #expect(arguments.contains("--lines=1000000"))
        // The order of the time line is that of the log.
        let order = ["from=<a@example.org>", "status=sent", "removed"].map {
            result.output.range(of: $0)?.lowerBound
        }
        let places = order.compactMap(\.self)
        #expect(places.count == 3 && places == places.sorted())
    }

    /// A message of then is in the queue for five days before and after at most.
    @Test func `a question about a time asks for that time`() throws {
        let day = 86_400
        let result = try explain(
            Self.script(Self.lines), "b@example.com", "--at", "1764250020", "--since", "5000d")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try seconds("since") == 1_764_250_020 - 5 * day)
        #expect(try seconds("until") == 1_764_250_020 + 5 * day + 1)
    }

    /// Whatever a journal does, the command ends, and says what it does not know.
    @Test func `a journal that does not end is left`() throws {
        let stuck = try explain(
            Self.script(Self.lines) + "exec sleep 600\n", "4Q1XY", "--since", "5000d")
        #expect(stuck.output.hasPrefix("Delivered to b@example.com"))
        #expect(stuck.errors.contains("the journal is not read to its end"))
        let endless = try explain(
            Self.script(Self.lines)
                + "exec yes '\(Self.line(15, String(repeating: "x", count: 2_000)))'\n",
            "4Q1XY", "--since", "5000d")
        #expect(endless.output.hasPrefix("Delivered to b@example.com"))
        #expect(endless.errors.contains("the journal is not read to its end"))
    }

    private func explain(log: String, input: String = "", _ arguments: String...) throws
        -> SignetCommand.Result
    {
        try SignetCommand.run(
            ["explain", "--config", folder.path, "--since", "5000d", "--log", log] + arguments,
            input: input)
    }

    /// Older logs are compressed: what unpacks them is read through a pipe, and they are not searched as they are.
    @Test func `a log comes from a pipe, and what is none is refused`() throws {
        let log = Self.lines.reversed().joined(separator: "\n") + "\n"
        let piped = try explain(log: "/dev/stdin", input: log, "4Q1XY")
        #expect(piped.output.hasPrefix("Delivered to b@example.com"), "\(piped.errors)")
        try folder.write([0x1F, 0x8B, 8, 0, 0], to: "mail.log.2.gz")
        for (name, words) in [
            (folder.file("mail.log.2.gz"), "is compressed"), (folder.path, "is no file"),
            ("/dev/null", "is no file"), ("/nonexistent", "No such file"),
        ] {
            let result = try explain(log: name, "4Q1XY")
            #expect(result.status == 66 && result.errors.contains(words), "\(result.errors)")
        }
    }

    /// A time is copied from where it stands: in the MTA's log, or in a story.
    @Test func `a time is taken as logs and stories have it`() throws {
        let path = try folder.write(
            Self.lines.reversed().joined(separator: "\n") + "\n", to: "mail.log")
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
        let shown = formatter.string(from: Date(timeIntervalSince1970: 1_764_250_020))
        for (time, isThen) in [
            (shown, true), ("2025-11-27T13:27:00.123456+00:00", true),
            ("2025-11-27T14:27:00+01:00", true), ("2025-11-27T13:27:00Z", true),
            ("2025-11-27T15:27:00Z", false),
        ] {
            let result = try explain(log: path, "b@example.com", "--at", time)
            #expect(result.status == (isThen ? 0 : 1), "\(time): \(result.output)\(result.errors)")
        }
        for nothing in ["", " ", "<>"] {
            #expect(try explain(log: path, nothing).status == 64)
        }
    }
}
