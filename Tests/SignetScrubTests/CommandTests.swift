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
                ! 1 field removed, 1 replaced, 1 kept because a signature covers it (DKIM example.net)

                - Received: from laptop.lan by imap.example.org with ESMTPSA; Mon, 1 Jun 2026 14:00:00 +0200
                + Received: by mx.example.org with ESMTPSA; Mon, 1 Jun 2026 12:00:00 +0000
                  DKIM-Signature: v=1; d=example.net; h=user-agent; b=AA==
                  From: ann@example.org
                - X-Mailer: a b
                ! User-Agent: c

                """)
        let raw = try run(["--verbose"])
        #expect(raw.output.contains("\n- X-Mailer: a\n-  b\n! User-Agent: c\n"))
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

    /// Fields that Postfix may write: mail_name, the text before it, and what follows the queue id are for others to choose.
    static let ownFields: [(field: String, isReplaced: Bool)] = [
        ("from a.lan (unknown [192.0.2.7])\n\tby HOST (Postfix) with ESMTPSA id 4AB; DATE", true),
        (
            "from a.lan (unknown [192.0.2.7])\n\t(using TLSv1.3 with cipher X (256/256 bits)\n\t server-digest SHA256)\n"
                + "\t(Authenticated sender: a;b (c))\n\tby HOST (Postfix) with ESMTPSA id 4AB\n\tfor <b@example.com>; DATE",
            true
        ),
        (
            "from a.lan (a [192.0.2.7])\n\tby HOST (Postfix) with SMTP id 4AB\n\tfor <\"b; c\"@example.com>; DATE",
            true
        ),
        (
            "from a.lan (a [192.0.2.7])\n\tby HOST (Post(fix)) with UTF8SMTPSA id 4AB\n\tfor <\u{fc}@example.com>; DATE",
            true
        ),
        ("by HOST (Postfix, from userid 1000)\n\tid 4AB; DATE", true),
        ("by HOST (Our (own) mail, from userid 1000)\n\tid 4AB; DATE", true),
        ("by HOST (Postfix) id 4AB\n\tfor <b@example.com>; DATE", false),
        ("from a.lan by elsewhere.example (Postfix) with SMTP id 4AB; DATE", false),
        ("from a.lan by mx-example.org (Postfix) with SMTP id 4AB; DATE", false),
    ]

    @Test(arguments: ownFields)
    func headerChecksReplaceWhatPostfixWrites(field: String, isReplaced: Bool) throws {
        let date = "Mon,  1 Jun 2026 14:00:00 +0200 (CEST)"
        let directory = try TemporaryDirectory("signet-scrub")
        let table = try run(["--header-checks", "mx.example.org"], message: nil).output
        let path = try directory.write(table, to: "checks")
        let line = "Received: " + field.replacing("HOST", with: "mx.example.org")
        let result = try Command.run(
            "/usr/sbin/postmap", ["-q", line.replacing("DATE", with: date), "regexp:\(path)"])
        #expect(result.succeeded == isReplaced, "\(result.errors)")
        guard isReplaced else { return }
        let new = result.output
        #expect(
            new.hasPrefix("REPLACE Received: by mx.example.org ") && new.contains("id 4AB; \(date)")
        )
        for secret in ["a.lan", "192.0.2.7", "example.com", "1000", "TLS", "Auth"] {
            #expect(!new.contains(secret), "\(new)")
        }
    }

    @Test func headerChecksAreWritten() throws {
        let result = try run(["--header-checks", "mail.example.net"], message: nil)
        #expect(result.output.contains("/^Received: from .*[[:space:]]by mail\\.example\\.net "))
    }
}
