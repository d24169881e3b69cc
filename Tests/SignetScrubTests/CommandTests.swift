import Foundation
import TestKit
import Testing

/// `signet scrub` as an administrator uses it.
struct CommandTests {
    private static let message = """
        Received: from laptop.lan by imap.example.org with ESMTPSA; Mon, 1 Jun 2026 14:00:00 +0200
        DKIM-Signature: v=1; d=example.net; h=user-agent; b=AA==
        From: ann@example.org
        X-Mailer: a
         b
        User-Agent: c

        body
        """

    private func run(
        _ arguments: [String], rules: String? = nil, message: String? = Self.message
    ) throws -> Command.Result {
        let directory = try TemporaryDirectory("signet-scrub")
        var all = ["scrub", "--host", "mx.example.org"] + arguments
        if let rules { all += ["--rules", try directory.write(rules, to: "rules")] }
        if let message { all.append(try directory.write(message, to: "message")) }
        return try Command.run(try DaemonProcess.path(of: "signet"), all)
    }

    @Test func whatChangesIsMarked() throws {
        let result = try run([])
        #expect(result.succeeded)
        #expect(
            result.output == """
                - Received: from laptop.lan by imap.example.org with ESMTPSA; Mon, 1 Jun 2026 14:00:00 +0200
                + Received: by mx.example.org with ESMTPSA; Mon, 1 Jun 2026 12:00:00 +0000
                  DKIM-Signature: v=1; d=example.net; h=user-agent; b=AA==
                  From: ann@example.org
                - X-Mailer: a
                -  b
                ! User-Agent: c

                """)
    }

    @Test func theMessageAfterwards() throws {
        let result = try run(
            ["--after"], rules: "MTA SUBMISSION\nKeep X-Mailer\nRemove From-Nobody")
        #expect(result.succeeded)
        #expect(result.output.contains("X-Mailer: a\n b\n"))
        #expect(result.output.hasSuffix("User-Agent: c\n\nbody"))
        #expect(!result.output.contains("laptop.lan"))
    }

    @Test func octetsThatAreNotTextAreKeptAfterwards() throws {
        let directory = try TemporaryDirectory("signet-scrub")
        let message =
            Array("X-Mailer: a\r\nSubject: ".utf8) + [0xE4, 0x01]
            + Array("\r\n b\r\n\r\nbody\r\n".utf8)
        let path = try directory.write(message, to: "message")
        let after = directory.file("after")
        // Through a file: the kit reads output as text.
        try Command.require(
            "/bin/sh",
            [
                "-c", "\"$0\" scrub --after \"$1\" > \"$2\"", try DaemonProcess.path(of: "signet"),
                path, after,
            ])
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: after)))
        #expect(bytes == Array(message.dropFirst("X-Mailer: a\r\n".utf8.count)))
    }

    @Test func whatCannotBeUsedIsAFailure() throws {
        let bad = try run([], rules: "Remove X-[")
        #expect(bad.end == .exited(78))
        #expect(bad.errors.contains(":1:10: error: Remove: a [ without its ]"))
        #expect(try run(["/nowhere"], message: nil).end == .exited(65))
        let loop = String(repeating: "Received: by a\n", count: 51) + "\n"
        #expect(try run([], message: loop).end == .exited(65))
        #expect(try run([], message: nil).end == .exited(64))
    }

    @Test func headerChecksAreWritten() throws {
        let result = try run(["--header-checks", "mail.example.net"], message: nil)
        #expect(result.output.contains("/^Received: from .*[[:space:]]by mail\\.example\\.net "))
    }
}
