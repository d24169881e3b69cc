import Glibc
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import TestKit
import Testing

/// signet-dmarc behind a real Postfix; XCLIENT plays the outside world.
@Suite(.serialized)
struct DMARCTests {
    private static let zone = """
        spf.example.               IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.spf.example.        IN TXT "v=DMARC1; p=reject; aspf=s; rua=mailto:d@spf.example"
        other.example.             IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        signed.example.            IN TXT "v=spf1 -all"
        _dmarc.signed.example.     IN TXT "v=DMARC1; p=reject"
        both.example.              IN TXT "v=spf1 -all"
        bounce.both.example.       IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.both.example.       IN TXT "v=DMARC1; p=reject"
        _dmarc.reject.example.     IN TXT "v=DMARC1; p=reject"
        _dmarc.quarantine.example. IN TXT "v=DMARC1; p=quarantine"
        _dmarc.none.example.       IN TXT "v=DMARC1; p=none"

        """

    /// A Postfix with its signet-dmarc, DNS and sink.
    private final class Host {
        let key: PrivateKey
        let dns: ScriptedDNSServer
        let sink: SMTPSink
        let postfix: PostfixInstance
        let daemon: DaemonProcess
        let folder: TemporaryDirectory

        init(_ directives: String = "", action: String = "tempfail") throws {
            key = try PrivateKey.generateEd25519()
            let record = Base64.encode(key.publicKey.recordOctets)
            dns = try ScriptedDNSServer(
                try ZoneResolver(
                    parsing: DMARCTests.zone
                        + ["signed", "both"].map {
                            "s._domainkey.\($0).example. IN TXT \"v=DKIM1; k=ed25519; p=\(record)\"\n"
                        }.joined())
            )
            let sink = try SMTPSink()
            self.sink = sink
            postfix = try PostfixInstance { configuration in
                configuration.relayPort = sink.port
                configuration.settings["smtpd_milters"] = "unix:signet/dmarc.sock"
                configuration.settings["milter_default_action"] = action
            }
            folder = try TemporaryDirectory("signet-dmarc")
            daemon = try DaemonProcess(
                "signet-dmarc",
                configuration: """
                    Nameservers \(dns.nameserver)
                    Socket unix:\(postfix.socketPath("dmarc"))
                    ReportStore \(folder.file("reports.db"))
                    HistoryFile \(folder.file("history"))
                    SyslogSuccess yes
                    \(directives)

                    """)
        }

        deinit {
            daemon.kill()
            dns.stop()
        }

        /// A client elsewhere, which has said EHLO.
        func client(_ address: String = "192.0.2.1", login: String? = nil) throws -> SMTPClient {
            let client = try postfix.connect()
            try client.ehlo()
            try client.xclient(address, login: login)
            try client.ehlo("spf.example")
            return client
        }

        /// Delivers a message that must be taken, and gives its dmarc result from the only results field.
        func result(
            _ message: [UInt8], subject: String, from sender: String,
            to recipients: [String] = ["a@example.org"], address: String = "192.0.2.1"
        ) throws -> MethodResult {
            let reply = try client(address).deliver(from: sender, to: recipients, message)
            #expect(reply.code == 250, "\(reply)")
            let arrived = try sink.waitForMessage(containing: "Subject: \(subject)\r\n")
            let fields = arrived.values(of: "Authentication-Results")
            #expect(fields.count == 1, "\(fields)")
            #expect(arrived.fields.first?.hasPrefix("Authentication-Results:") == true)
            let field = AuthenticationResults(parsing: Array((fields.first ?? "").utf8).span)
            #expect(field.results.map(\.method) == ["spf", "dkim", "arc", "dmarc"])
            return try #require(field.results.last)
        }
    }

    private func message(
        _ subject: String, from author: String, _ fields: String = ""
    ) -> [UInt8] {
        Array(
            """
            \(fields)From: \(author)\r
            Subject: \(subject)\r
            Date: Sat, 21 Nov 2026 08:00:00 +0000\r
            Message-ID: <\(subject)@example.net>\r
            \r
            body\r

            """.utf8)
    }

    private func signed(
        _ message: [UInt8], _ key: PrivateKey, for domain: String = "signed.example"
    ) throws -> [UInt8] {
        let file = try MessageFile(contents: message)
        var signer = DKIMSigner(
            header: file.header,
            keys: [
                SigningKey(
                    domain: try DomainName(domain), selector: try DomainName("s"),
                    key: key)
            ], recipe: SigningRecipe(), time: Int64(time(nil)))
        signer.update(file.body.span)
        let value = try signer.finish()[0].value.flatMap { $0 == 10 ? [13, 10] : [$0] }
        return Array("DKIM-Signature:".utf8) + value + [13, 10] + message
    }

    @Test func `mail passes by SPF, by DKIM, by both, and with a null sender`() throws {
        let host = try Host("RejectFailures yes")
        var result = try host.result(
            message("spf", from: "u@spf.example"), subject: "spf", from: "u@spf.example")
        #expect(result.result == "pass")
        #expect(result["header", "from"] == "spf.example")

        result = try host.result(
            try signed(message("dkim", from: "u@signed.example"), host.key), subject: "dkim",
            from: "u@other.example", to: ["a@example.org", "b@example.org"])
        #expect(result.result == "pass", "\(result)")
        #expect(result.comment?.contains("DKIM passed for signed.example") == true)

        result = try host.result(
            message("null", from: "mailer-daemon@spf.example"), subject: "null", from: "")
        #expect(result.result == "pass")

        _ = try host.daemon.waitForLogLine("spf.example pass")
        _ = try host.daemon.waitForLogLine("SPF(helo): spf.example pass")
        #expect(try host.daemon.stop() == .exited(0))
        let rows = try Command.require(
            "sqlite3",
            [
                host.folder.file("reports.db"),
                """
                SELECT header_from, result, dkim_aligned, spf_aligned, messages
                FROM evaluation ORDER BY header_from
                """,
            ])
        // The null reverse-path's row is one of its own.
        #expect(
            rows == "signed.example|pass|1|0|1\nspf.example|pass|0|1|1\nspf.example|pass|0|1|1\n")
    }

    @Test func `mail that passes by both, at each recipient`() throws {
        let host = try Host("RejectFailures yes\nHoldQuarantinedMessages yes")
        let recipients = ["a@example.org", "b@example.org", "c@example.org"]
        let both = try signed(
            message("both", from: "u@both.example"), host.key, for: "both.example")
        let result = try host.result(
            both, subject: "both", from: "u@bounce.both.example", to: recipients)
        #expect(result.result == "pass")
        #expect(result["header", "from"] == "both.example")
        let arrived = try host.sink.waitForMessage(containing: "Subject: both\r\n")
        #expect(Set(arrived.recipients) == Set(recipients))
        // Signed by a stranger only: the author's domain has not said anything.
        let stranger = try signed(
            message("stranger", from: "u@reject.example"), host.key, for: "both.example")
        let refused = try host.client().deliver(
            from: "u@bounce.both.example", to: recipients, stranger)
        #expect(refused.code == 550)
        #expect(try host.daemon.stop() == .exited(0))
        let rows = try Command.require(
            "sqlite3",
            [
                host.folder.file("reports.db"),
                """
                SELECT header_from, result, disposition, dkim_aligned, spf_aligned
                FROM evaluation ORDER BY header_from
                """,
            ])
        #expect(rows == "both.example|pass|none|1|1\nreject.example|fail|reject|0|0\n")
    }

    /// What becomes of a failure: each policy with each way to handle failures.
    struct Handling: Sendable, CustomTestStringConvertible {
        let directives: String
        /// What happens with p=none, p=quarantine and p=reject: delivered with this disposition, hold, or refused with this code.
        let expected: [String]

        var testDescription: String { directives.isEmpty ? "as installed" : directives }
    }

    static let policies = ["none", "quarantine", "reject"]
    static let handlings = [
        Handling(directives: "", expected: ["none", "quarantine", "quarantine"]),
        Handling(directives: "RejectFailures yes", expected: ["none", "quarantine", "550"]),
        Handling(directives: "HoldQuarantinedMessages yes", expected: ["none", "hold", "hold"]),
        Handling(
            directives: "RejectFailures yes\nHoldQuarantinedMessages yes",
            expected: ["none", "hold", "550"]),
        Handling(
            directives: "RejectFailures yes\nExemptHosts 192.0.2.0/24",
            expected: ["none", "none", "none"]),
    ]

    @Test(arguments: handlings)
    func `each policy has its disposition`(_ handling: Handling) throws {
        let host = try Host(handling.directives)
        for (policy, expected) in zip(Self.policies, handling.expected) {
            let text = message(policy, from: "u@\(policy).example")
            if let code = Int(expected) {
                let reply = try host.client().deliver(
                    from: "u@other.example", to: ["a@example.org", "b@example.org"], text)
                #expect(reply.code == code, "\(policy): \(reply)")
                #expect(
                    reply.lines.first?.contains(
                        "5.7.26 rejected by DMARC policy for \(policy).example (p=\(policy))")
                        == true, "\(reply)")
            } else if expected == "hold" {
                let sender = "\(policy)@other.example"
                let reply = try host.client().deliver(
                    from: sender, to: ["a@example.org", "b@example.org"], text)
                #expect(reply.code == 250)
                let held: PostfixInstance.QueuedMessage = try wait(for: "\(policy) on hold") {
                    try host.postfix.queue().first {
                        $0.queueName == "hold" && $0.sender == sender
                    }
                }
                #expect(held.sender == sender)
            } else {
                let result = try host.result(text, subject: policy, from: "u@other.example")
                #expect(result.result == "fail")
                #expect(
                    result.comment?.contains("p=\(policy) dis=\(expected);") == true, "\(result)")
            }
        }
    }

    @Test(arguments: policies)
    func `without an answer failures are deferred where they are rejected`(_ policy: String) throws
    {
        let host = try Host("RejectFailures yes\nDNSTimeout 1")
        host.dns.set(.code(2), for: try DomainName("_dmarc.\(policy).example"))
        let reply = try host.client().deliver(
            from: "u@other.example", to: ["a@example.org", "b@example.org"],
            message("x", from: "u@\(policy).example"))
        #expect(reply.code == 451, "\(reply)")
        #expect(reply.lines.first?.contains("4.7.1 DMARC: the DNS lookup of ") == true, "\(reply)")
        // What another registry's servers refuse matters to nobody.
        let other = try Host("RejectFailures yes\nDNSTimeout 1")
        other.dns.set(.code(5), for: try DomainName("_dmarc.invalid"))
        let later = try other.client().deliver(
            from: "u@elsewhere.invalid", to: ["a@example.org"],
            message("y", from: "u@\(policy).example"))
        #expect(later.code == (policy == "reject" ? 550 : 250), "\(later)")
    }

    @Test func `results that the message brings along count for nothing`() throws {
        let host = try Host()
        let forged = try host.result(
            message(
                "injected", from: "u@reject.example",
                "Authentication-Results: mx.example.org; dmarc=pass header.from=reject.example\r\n"),
            subject: "injected", from: "u@other.example")
        #expect(forged.result == "fail")
    }

    @Test func `failures are rejected, and mail of lists is not`() throws {
        let host = try Host("RejectFailures yes")
        let reply = try host.client().deliver(
            from: "u@other.example", to: ["a@example.org"], message("x", from: "u@reject.example"))
        #expect(reply.code == 550)
        #expect(
            reply.lines.first?.contains("5.7.26 rejected by DMARC policy for reject.example")
                == true,
            "\(reply)")
        let result = try host.result(
            message("list", from: "u@reject.example", "List-Id: <l.other.example>\r\n"),
            subject: "list", from: "u@other.example")
        #expect(result.comment?.contains("dis=quarantine") == true)
        _ = try host.daemon.waitForLogLine("mailing_list")
    }

    @Test func `authenticated clients are left alone`() throws {
        let host = try Host("RejectFailures yes")
        let reply = try host.client(login: "user").deliver(
            from: "u@other.example", to: ["a@example.org"], message("own", from: "u@reject.example")
        )
        #expect(reply.code == 250)
        let arrived = try host.sink.waitForMessage(containing: "Subject: own\r\n")
        #expect(arrived.values(of: "Authentication-Results").isEmpty)
        _ = try host.daemon.waitForLogLine("ignoring authenticated client")
    }

    @Test
    func `without the DNS mail is delivered in time, and deferred where failures are rejected`()
        throws
    {
        let host = try Host("DNSTimeout 1")
        host.dns.setSilent(true)
        let result = try host.result(
            message("dead", from: "u@reject.example"), subject: "dead", from: "u@other.example")
        #expect(result.result == "temperror")
        let strict = try Host("RejectFailures yes\nDNSTimeout 1")
        strict.dns.setSilent(true)
        let reply = try strict.client().deliver(
            from: "u@other.example", to: ["a@example.org"], message("x", from: "u@reject.example"))
        #expect(reply.code == 451, "\(reply)")
    }

    @Test func `clients may vanish at any moment`() throws {
        let host = try Host()
        let whole = message("gone", from: "u@reject.example")
        for step in 0..<7 {
            let client = try host.client()
            if step > 0 { try client.require("MAIL FROM:<u@other.example>") }
            if step > 1 { try client.require("RCPT TO:<a@example.org>") }
            if step > 2 { _ = try client.command("DATA") }
            if step > 3 { try client.send(Array(whole.prefix(step == 4 ? 10 : whole.count))) }
            // The last one goes when the filter has the whole message.
            if step > 5 { try client.send(Array(".\r\n".utf8)) }
            client.drop()
        }
        let next = try host.result(
            message("next", from: "u@spf.example"), subject: "next", from: "u@spf.example")
        #expect(next.result == "pass")
        #expect(host.daemon.end == nil)
    }

    @Test(arguments: [false, true])
    func `a daemon that is killed in the middle of a message loses no mail`(
        _ isWaiting: Bool
    ) throws {
        let host = try Host("DNSTimeout 20")
        let client = try host.client()
        if isWaiting { host.dns.setSilent(true) }
        try client.require("MAIL FROM:<u@other.example>")
        try client.require("RCPT TO:<a@example.org>")
        _ = try client.command("DATA")
        try client.send(message("killed", from: "u@reject.example"))
        if isWaiting {
            // While it waits for the DNS, the message being whole.
            let daemon = host.daemon
            BackgroundThread.start {
                usleep(700_000)
                daemon.kill()
            }
            #expect(try client.command(".").code == 451)
        } else {
            host.daemon.kill()
            #expect(try client.command(".").code == 451)
        }
        #expect(host.sink.messages.isEmpty)
    }

    @Test func `mail goes on without the daemon where main.cf says so`() throws {
        let host = try Host(action: "accept")
        host.daemon.kill()
        let reply = try host.client().deliver(
            from: "u@other.example", to: ["a@example.org"], message("on", from: "u@none.example"))
        #expect(reply.code == 250)
        let arrived = try host.sink.waitForMessage(containing: "Subject: on\r\n")
        #expect(arrived.values(of: "Authentication-Results").isEmpty)
    }
}
