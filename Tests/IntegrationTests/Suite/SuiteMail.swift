import MailAuth
import TestKit

/// The messages of the suite's tests, each with a token of its own, and what must have become of them.
enum SuiteMail {
    /// What a submitted message says of its sender, and nobody else should learn.
    static let secrets = ["laptop.lan", "192.168.77.66", "Planted-Mailer", "planted.php"]

    /// The fields that the rules remove, by their names.
    static let removed = ["X-Originating-IP", "X-Mailer", "User-Agent", "X-PHP-Originating-Script"]

    /// A message that a user submits.
    static func submission(_ token: String) -> [UInt8] {
        Array(
            """
            Received: from laptop.lan (laptop.lan [192.168.77.66])\r
            \tby router.laptop.lan with SMTP; Mon, 1 Jun 2026 14:00:00 +0200\r
            X-Originating-IP: [192.168.77.66]\r
            From: Ann <ann@example.org>\r
            X-Mailer: Planted-Mailer/1.0\r
            To: bob@example.com\r
            User-Agent: Planted-Mailer/1.0\r
            Subject: \(token)\r
            Date: Mon, 1 Jun 2026 12:00:00 +0000\r
            X-PHP-Originating-Script: 1000:planted.php\r
            Message-ID: <\(token)@example.org>\r
            \r
            The body of \(token) stays as it is.\r

            """.utf8)
    }

    /// A message from outside that claims to have been judged here already, and elsewhere.
    static func incoming(_ token: String, author: String) -> [UInt8] {
        Array(
            """
            Authentication-Results: \(SuiteHost.name); dmarc=pass (planted) header.from=friend.example\r
            Authentication-Results: mx.elsewhere.example; dkim=pass header.d=elsewhere.example\r
            Authentication-Results: \(SuiteHost.name); dkim=pass (planted) header.d=friend.example\r
            From: \(author)\r
            To: ann@example.org\r
            Subject: \(token)\r
            Date: Mon, 1 Jun 2026 12:00:00 +0000\r
            Message-ID: <\(token)@friend.example>\r
            \r
            The body of \(token) stays as it is.\r

            """.utf8)
    }

    /// The token of a message that has arrived.
    static func token(of message: SMTPSink.Message) -> String {
        message.values(of: "Subject").first?.trimmingPrefix(" ").description ?? "?"
    }

    /// How much of a daemon's work is in a message.
    enum Work {
        case all, none, half
    }

    /// What signet-scrub has done to a submission.
    static func scrubbed(_ message: SMTPSink.Message) -> Work {
        let fields = removed.count { !message.values(of: $0).isEmpty }
        let received = message.values(of: "Received")
        let isPlanted = received.contains { $0.contains("192.168.77.66") }
        switch (fields, isPlanted) {
        case (0, false):
            let header = message.fields.joined(separator: "\n")
            return secrets.contains(where: header.contains) ? .half : .all
        case (removed.count, true): return .none
        default: return .half
        }
    }

    /// What the signer has done, with its two keys.
    static func signed(_ message: SMTPSink.Message) -> Work {
        switch message.values(of: "DKIM-Signature").count {
        case 2: .all
        case 0: .none
        default: .half
        }
    }

    /// What stands under this host's name: for each field the results by their methods.
    static func results(_ message: SMTPSink.Message) -> [[String: String]] {
        message.values(of: "Authentication-Results").compactMap { value in
            let field = AuthenticationResults(parsing: Array(value.utf8).span)
            guard field.authservID == AuthservID(SuiteHost.name) else { return nil }
            return Dictionary(field.results.map { ($0.method, $0.result) }) { "\($0), \($1)" }
        }
    }
}
