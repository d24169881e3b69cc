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
                        + "s._domainkey.signed.example. IN TXT \"v=DKIM1; k=ed25519; p=\(record)\"")
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
            if let login {
                try client.xclient(["ADDR": address, "NAME": "out.example", "LOGIN": login])
            } else {
                try client.xclient(["ADDR": address, "NAME": "out.example"])
            }
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

    private func signed(_ message: [UInt8], _ key: PrivateKey) throws -> [UInt8] {
        let file = try MessageFile(contents: message)
        var signer = DKIMSigner(
            header: file.header,
            keys: [
                SigningKey(
                    domain: try DomainName("signed.example"), selector: try DomainName("s"),
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
                "SELECT header_from, result, dkim_aligned, spf_aligned FROM message ORDER BY id",
            ])
        #expect(rows == "spf.example|pass|0|1\nsigned.example|pass|1|0\nspf.example|pass|0|1\n")
    }

    @Test func `failures are delivered marked where nothing else is said`() throws {
        let host = try Host()
        for (domain, disposition) in [
            ("reject", "quarantine"), ("quarantine", "quarantine"), ("none", "none"),
        ] {
            let result = try host.result(
                message(domain, from: "u@\(domain).example"), subject: domain,
                from: "u@other.example")
            #expect(result.result == "fail")
            #expect(
                result.comment?.contains("p=\(domain) dis=\(disposition);") == true, "\(result)")
        }
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
            reply.lines.first?.contains("5.7.1 rejected by DMARC policy for reject.example")
                == true,
            "\(reply)")
        let result = try host.result(
            message("list", from: "u@reject.example", "List-Id: <l.other.example>\r\n"),
            subject: "list", from: "u@other.example")
        #expect(result.comment?.contains("dis=quarantine") == true)
        _ = try host.daemon.waitForLogLine("mailing_list")
    }

    @Test func `failures are held`() throws {
        let host = try Host("HoldQuarantinedMessages yes")
        let reply = try host.client().deliver(
            from: "u@other.example", to: ["a@example.org"],
            message("held", from: "u@quarantine.example"))
        #expect(reply.code == 250)
        let held: PostfixInstance.QueuedMessage = try wait(for: "the message on hold") {
            try host.postfix.queue().first { $0.queueName == "hold" }
        }
        #expect(held.sender == "u@other.example")
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

    @Test func `clients that vanish, and a daemon that is killed, lose no mail`() throws {
        let host = try Host()
        let vanishing = try host.client()
        try vanishing.require("MAIL FROM:<u@other.example>")
        try vanishing.require("RCPT TO:<a@example.org>")
        _ = try vanishing.command("DATA")
        try vanishing.send(Array("From: u@reject.example\r\nSubject: gone\r\n".utf8))
        vanishing.drop()
        let next = try host.result(
            message("next", from: "u@spf.example"), subject: "next", from: "u@spf.example")
        #expect(next.result == "pass")

        let client = try host.client()
        try client.require("MAIL FROM:<u@other.example>")
        try client.require("RCPT TO:<a@example.org>")
        _ = try client.command("DATA")
        try client.send(message("killed", from: "u@reject.example"))
        host.daemon.kill()
        #expect(try client.command(".").code == 451)
    }
}
