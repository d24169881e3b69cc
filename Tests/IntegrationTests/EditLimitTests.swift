import MailDNS
import TestKit
import Testing

/// Messages that would need thousands of edits, on a real Postfix.
///
/// Its cleanup(8) is quadratic in edits and panics above some 10,000; master(8) then starts no other for a minute, and
/// nobody's mail is taken.
@Suite(.serialized) struct EditLimitTests {
    private static func message(_ fields: [String], _ subject: String) -> [UInt8] {
        let own = [
            "From: ann@spf.example", "To: bob@example.org", "Subject: \(subject)",
            "Date: Fri, 20 Nov 2026 10:00:00 +0000", "Message-ID: <\(subject)@spf.example>",
        ]
        return Array((fields + own + ["", "Hello", ""]).joined(separator: "\r\n").utf8)
    }

    private func client(_ postfix: PostfixInstance, login: String?) throws -> SMTPClient {
        let client = try postfix.connect()
        try client.ehlo()
        if let login {
            try client.xclient(["ADDR": "192.0.2.1", "NAME": "out.example", "LOGIN": login])
        } else {
            try client.xclient(["ADDR": "192.0.2.1", "NAME": "out.example"])
        }
        try client.ehlo("out.example")
        return client
    }

    @Test func `thousands of edits are refused, and others' mail goes on`() throws {
        let sink = try SMTPSink()
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings["smtpd_milters"] =
                "unix:signet/scrub.sock, unix:signet/dmarc.sock"
        }
        let dns = try ScriptedDNSServer(try ZoneResolver(parsing: ""))
        defer { dns.stop() }
        let daemons = [
            try DaemonProcess(
                "signet-scrub", configuration: "Socket unix:\(postfix.socketPath("scrub"))\n"),
            try DaemonProcess(
                "signet-dmarc",
                configuration: """
                    Socket unix:\(postfix.socketPath("dmarc"))
                    Nameservers \(dns.nameserver)
                    ReportStore none

                    """),
        ]
        defer { for daemon in daemons { daemon.kill() } }
        // What signet-dmarc deletes comes from strangers; what signet-scrub deletes from users.
        let hostile: [(field: String, login: String?)] = [
            ("Authentication-Results:=?", nil), ("X-Mailer:=?", "ann"),
            ("Authentication-Results:=?", nil), ("X-Mailer:=?", "ann"),
        ]
        for (round, mail) in hostile.enumerated() {
            let attacker = try client(postfix, login: mail.login)
            try attacker.require("MAIL FROM:<ann@spf.example>")
            try attacker.require("RCPT TO:<bob@example.org>")
            try attacker.command("DATA")
            let fields = Array(repeating: mail.field, count: 10_050)
            try attacker.send(SMTPClient.stuffed(Self.message(fields, "hostile\(round)")))

            // The attacker's message is under way.
            let other = try client(postfix, login: nil)
            let taken = try other.deliver(
                from: "ann@spf.example", to: ["bob@example.org"], Self.message([], "good\(round)"))
            #expect(taken.code == 250, "\(taken)")

            let refusal = try attacker.reply()
            #expect(refusal.code == 550, "\(refusal)")
            #expect(refusal.lines.first?.hasPrefix("5.6.0 too many") == true, "\(refusal)")
            try other.quit()
            try attacker.quit()
        }
        let arrived = try sink.waitForMessages(hostile.count)
        #expect(arrived.count == hostile.count)
        #expect(!arrived.contains { $0.text.contains("hostile") })
        for word in ["panic", "throttling", "bad command startup", "fatal"] {
            #expect(!postfix.log.contains(word), "\(postfix.log)")
        }
    }
}
