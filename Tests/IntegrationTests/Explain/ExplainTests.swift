import Foundation
import TestKit
import Testing

/// What `signet explain` says of messages that went through a real Postfix with all daemons.
@Suite(.serialized)
struct ExplainTests {
    @Test func refusedAtRCPT() throws {
        let host = try ExplainHost()
        let reply = try host.deliver(
            ExplainHost.message("refused", from: "a@bad.example"), from: "a@bad.example",
            at: "192.0.2.77")
        #expect(reply.code == 550)
        let expected = "Refused by signet-spf at RCPT: SPF fail: "
        for what in ["192.0.2.77", "a@bad.example"] {
            let answer = try host.answer(what, until: expected)
            #expect(answer.hasPrefix(expected), "\(what): \(answer)")
            #expect(answer.contains("Mail_From_reject has its default"), "\(answer)")
        }
    }

    @Test func foundByEveryName() throws {
        let host = try ExplainHost()
        let reply = try host.deliver(
            ExplainHost.message("names", from: "ann@example.org"), from: "ann@example.org",
            at: "203.0.113.7")
        let queueID = try #require(reply.lines.joined().split(separator: " ").last)
        let expected = "Signed for example.org"
        for what in [String(queueID), "names@example.net", "ann@example.org", "203.0.113.7"] {
            let answer = try host.answer(what, until: expected)
            #expect(answer.contains(expected), "\(what): \(answer)")
        }
        let json = try host.signet(["explain", "--json", String(queueID)])
        #expect(json.end == .exited(0))
        for key in ["\"answer\"", "\"queue_id\"", "\"message_id\"", "\"events\"", "\"verdicts\""] {
            #expect(json.output.contains(key))
        }
        let verbose = try host.signet(["explain", "-v", String(queueID)])
        #expect(verbose.output.contains("decided by: signing.table:1 covers *@example.org"))
        let nothing = try host.signet(["explain", "4NOTHING9"])
        #expect(nothing.end == .exited(1))
        #expect(nothing.output.hasPrefix("Nothing is known of 4NOTHING9"))
        let why = try host.signet(["why", "example.org"])
        #expect(why.output.contains("example.org"))
    }

    @Test func reloadAndKillLoseNothingThatIsWritten() throws {
        let host = try ExplainHost()
        func send(_ name: String) throws {
            let reply = try host.deliver(
                ExplainHost.message(name, from: "ann@example.org"), from: "ann@example.org",
                at: "203.0.113.7")
            #expect(reply.code == 250)
            let answer = try host.answer("\(name)@example.net", until: "Signed for")
            #expect(answer.contains("Signed for"), "\(name): \(answer)")
        }
        try send("before")
        try host.reload("dkim")
        try send("reloaded")
        host.kill("dkim")
        try host.start("dkim")
        try send("restarted")
        let first = try host.answer("before@example.net", until: "Signed for")
        #expect(first.contains("Signed for"))
    }

    @Test(arguments: ["strict", "hashed"])
    func privacyLeavesNobodyInAnyFile(_ privacy: String) throws {
        let host = try ExplainHost(privacy: privacy)
        _ = try host.deliver(
            ExplainHost.message("quiet", from: "ann@example.org"), from: "ann@example.org",
            at: "203.0.113.7", login: "annlogin")
        _ = try host.deliver(
            ExplainHost.message("loud", from: "zebulon@bad.example"), from: "zebulon@bad.example",
            at: "192.0.2.77")
        // SPF's macros put local part and client into names (RFC 7208, section 7).
        _ = try host.deliver(
            ExplainHost.message("macro", from: "hiddenpart@macro.example"),
            from: "hiddenpart@macro.example", at: "192.0.2.78")
        // One that ends in the middle.
        let client = try host.postfix.connect()
        try client.ehlo()
        try client.xclient("192.0.2.79", login: "gonelogin")
        try client.ehlo("gone.example")
        try client.require("MAIL FROM:<gonesender@spf.example>")
        try client.require("RCPT TO:<bob@example.org>")
        try client.require("DATA")
        client.drop()
        // One that all daemons but the policy service see, and the policy service the one before.
        for name in ["scrub", "dkim", "dmarc", "spf"] { try host.stop(name) }
        #expect(host.records.count == 4)
        for directory in host.records {
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                let octets = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data()
                #expect(name == "key" || octets.count > 100, "\(directory)/\(name)")
                for secret in [
                    "annlogin", "zebulon", "203.0.113.7", "192.0.2.77", "out.example", "bob@",
                    "ann@", "private matters", "hiddenpart", "78.2.0.192", "192.0.2.78", "quiet@",
                    "macro@", "192.0.2.79", "gonelogin", "gone.example", "gonesender",
                ] {
                    #expect(octets.range(of: Data(secret.utf8)) == nil, "\(name): \(secret)")
                }
            }
        }
    }

    /// What strangers send reaches no terminal as it came.
    @Test func escapesReachNoTerminal() throws {
        let host = try ExplainHost()
        let escape = "\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}"
        let message = Array(
            """
            DKIM-Signature: v=1; a=rsa-sha256; d=signed.example; s=\(escape); h=From; bh=x; b=x\r
            DKIM-Signature: v=1; a=\(escape); d=\(escape).example; s=x; h=From; bh=x; b=x\r
            Authentication-Results: mx.example.org; spf=\(escape)\r
            From: "\(escape)" <ceo@reject.example>\r
            Subject: \(escape)\r
            Message-ID: <\(escape)@example.net>\r
            X-\(escape): x\r
            \r
            Hello\r

            """.utf8)
        let client = try host.postfix.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "192.0.2.99", "NAME": "out.example"])
        try client.ehlo("h\(escape)")
        let reply = try client.deliver(
            from: "a@spf.example", to: ["\(escape)@example.org"], parameters: "SMTPUTF8", message)
        #expect(reply.code >= 400, "\(reply)")
        try? client.quit()
        var octets = 0
        for arguments in [
            ["explain", "192.0.2.99"], ["explain", "-v", "192.0.2.99"],
            ["explain", "--replay", "192.0.2.99"], ["explain", "--refused"],
            ["explain", "--json", "192.0.2.99"], ["why", "reject.example"],
            ["why", "spf.example"], ["explain", escape],
        ] {
            let result = try host.signet(arguments)
            octets += result.output.utf8.count
            for scalar in (result.output + result.errors).unicodeScalars where scalar != "\n" {
                #expect(
                    scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value),
                    "\(arguments): \(result.output.debugDescription)")
                if scalar.value < 0x20 { break }
            }
        }
        #expect(octets > 1_000)
    }

    @Test func whatReceiversReportedIsJoined() throws {
        let host = try ExplainHost()
        _ = try host.deliver(
            ExplainHost.message("reported", from: "ann@example.org"), from: "ann@example.org",
            at: "203.0.113.7")
        #expect(try host.answer("reported@example.net", until: "Signed for").contains("Signed for"))
        let begin = Int(Date().timeIntervalSince1970) / 86_400 * 86_400
        let report = try host.folder.write(
            """
            <feedback><report_metadata><org_name>Receiver</org_name>
            <email>dmarc@receiver.example</email><report_id>7</report_id>
            <date_range><begin>\(begin)</begin><end>\(begin + 86_399)</end></date_range>
            </report_metadata><policy_published><domain>example.org</domain><p>none</p>
            </policy_published><record><row><source_ip>192.0.2.25</source_ip><count>3</count>
            <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
            </policy_evaluated></row><identifiers><header_from>example.org</header_from>
            </identifiers><auth_results><dkim><domain>example.org</domain><result>pass</result>
            </dkim></auth_results></record></feedback>

            """, to: "receiver.xml")
        let taken = try Command.run(
            try DaemonProcess.path(of: "signet"),
            [
                "report", "import", "--any-domain", "--store", host.folder.file("reports.db"),
                report,
            ])
        #expect(taken.succeeded, "\(taken.output)\(taken.errors)")
        let story = try host.signet(["explain", "reported@example.net"])
        #expect(
            story.output.contains(
                "receiver.example: 3 messages from 192.0.2.25, DKIM aligned, disposition none"),
            "\(story.output)\(story.errors)")
    }

    @Test func decisionsAreTakenAgain() throws {
        let host = try ExplainHost()
        let reply = try host.deliver(
            ExplainHost.message("again", from: "ceo@reject.example"), from: "a@spf.example",
            at: "192.0.2.1")
        #expect(reply.code == 550)
        let refused = "Refused by signet-dmarc at end of message: DMARC: "
        #expect(try host.answer("again@example.net", until: refused).hasPrefix(refused))
        let same = try host.signet(["explain", "again@example.net", "--replay"])
        #expect(same.succeeded, "\(same.output)\(same.errors)")
        for daemon in ["scrub", "dkim", "dmarc", "spf"] {
            let head = "signet-\(daemon) under \(host.folder.file("\(daemon).conf")):\n  then"
            let after = same.output.firstRange(of: head).map { same.output[$0.upperBound...] }
            let now = after?.split(separator: "\n").dropFirst().first
            #expect(now == "  now        The same.", "\(daemon): \(same.output)")
        }
        let lax = try host.folder.write(
            host.configuration("dmarc").replacingOccurrences(
                of: "RejectFailures yes", with: "RejectFailures no"), to: "lax.conf")
        let other = try host.signet(["explain", "again@example.net", "--replay", "--with", lax])
        for text in [
            "  now        Quarantined by signet-dmarc",
            "now: local_policy: RejectFailures is off",
            "Decided then by signet-dmarc.conf:2 RejectFailures yes, now by lax.conf:3 Hold",
        ] {
            #expect(other.output.contains(text), "\(other.output)\(other.errors)")
        }
        let json = try host.signet(
            ["explain", "again@example.net", "--replay", "--with", lax, "--json"])
        #expect(json.output.contains("\"same\" : false"), "\(json.output)")
        let wrong = try host.folder.write("RejectFailures perhaps\n", to: "wrong-dmarc.conf")
        let fault = try host.signet(["explain", "again@example.net", "--replay", "--with", wrong])
        #expect(fault.end == .exited(78), "\(fault.end)")
        #expect(fault.errors.contains("RejectFailures"), "\(fault.errors)")
        // More is wrong with it than a pipe holds.
        let nonsense = String(repeating: "Nonsense perhaps\n", count: 5_000)
        let hopeless = try host.folder.write(nonsense, to: "hopeless-dmarc.conf")
        #expect(
            try host.signet(["explain", "again@example.net", "--replay", "--with", hopeless]).end
                == .exited(78))
    }

    @Test func scrubbingIsDecidedAgain() throws {
        let host = try ExplainHost()
        let message = Array("X-Mailer: Program 1\r\nX-Note: mine\r\n".utf8)
        _ = try host.deliver(
            message + ExplainHost.message("hidden", from: "ann@example.org"),
            from: "ann@example.org", at: "198.51.100.7", login: "ann")
        #expect(try host.answer("hidden@example.net", until: "Signed").hasPrefix("Signed"))
        let same = try host.signet(["explain", "hidden@example.net", "--replay"]).output
        #expect(same.contains("Header fields scrubbed (delete X-Mailer 1): "), "\(same)")
        #expect(!same.contains("why"), "\(same)")
        let rules = try host.folder.write(
            "Keep X-Mailer\nRemove X-Note\nRemove To *secret*\n", to: "other-scrub.conf")
        let other = try host.signet(
            ["explain", "hidden@example.net", "--replay", "--with", rules]).output
        let lines = other.split(separator: "\n").joined(separator: " ")
            .split(separator: " ").joined(separator: " ")
        for text in [
            "Changed then alone: delete X-Mailer 1; now alone: delete X-Note 1.",
            "Decided then by default rules Remove X-Mailer, now by other-scrub.conf:2 Remove "
                + "X-Note.",
            "whether \"Remove To *secret*\" is about To: its value was not kept.",
        ] {
            #expect(lines.contains(text), "\(other)")
        }
    }

    @Test func theDNSOfTodayDecides() throws {
        let host = try ExplainHost()
        let table = PlayedStory.all
        for name in ["dkim-intact", "forged", "passes"] {
            let story = try #require(table.first { $0.name == name })
            #expect(try host.play(story)?.code == story.code)
            let sentence = try host.answer("\(name)@example.net", until: "signet-dmarc")
            #expect(story.isAnswered(by: sentence), "\(sentence)")
        }
        try host.changeDNS([
            "_dmarc.reject.example. IN TXT \"v=DMARC1; p=reject\"":
                "_dmarc.reject.example. IN TXT \"v=DMARC1; p=none\"",
            "intact._domainkey.signed.example.": "other._domainkey.signed.example.",
            "spf.example.           IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"":
                "spf.example.           IN TXT \"v=spf1 -all\"",
        ])
        /// What is said of a message after the change, in one line.
        func replayed(_ name: String, _ options: [String]) throws -> String {
            let result = try host.signet(["explain", "\(name)@example.net", "--replay"] + options)
            #expect(result.succeeded, "\(result.errors)")
            return result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        // The answers of then are in the record: nothing has changed for them.
        for name in ["dkim-intact", "forged", "passes"] {
            let text = try replayed(name, [])
            #expect(!text.contains(" why "), "\(text)")
            #expect(text.contains("now The same."), "\(text)")
        }
        for (name, words) in [
            ("forged", "now Let through by signet-dmarc: dmarc=fail reject.example"),
            ("forged", "policy=none of reject.example"),
            ("dkim-intact", "Found then: d=signed.example s=intact a=rsa-sha256: pass; now: "),
            ("dkim-intact", "now Refused by signet-dmarc at end of message: DMARC: "),
            ("passes", "now Refused by signet-spf at RCPT: SPF fail: "),
            ("passes", "Found then: spf=pass spf.example; now: spf=fail spf.example."),
        ] {
            let text = try replayed(name, ["--today"])
            #expect(text.contains(words), "\(name): \(text)")
        }
    }

    @Test func metricsOfAllDaemons() throws {
        let host = try ExplainHost()
        _ = try host.deliver(
            ExplainHost.message("counted", from: "ann@example.org"), from: "ann@example.org",
            at: "203.0.113.7")
        let text = try host.signet(["metrics"]).output
        for line in [
            "signet_messages_total{daemon=\"dkim\",verdict=\"signed\"} 1\n",
            "signet_dkim_signatures_total{daemon=\"dkim\",domain=\"example.org\","
                + "algorithm=\"rsa-sha256\"} 1\n",
            "signet_up{daemon=\"spf\"} 1\n",
        ] {
            #expect(text.contains(line), "\(text)")
        }
        #expect(text.hasSuffix("# EOF\n"))
        let file = host.folder.file("signet.prom")
        #expect(try host.signet(["metrics", "--textfile", file]).succeeded)
        let written = try #require(FileManager.default.contents(atPath: file))
        if (try? Command.path(of: "promtool")) != nil {
            let check = try Command.run("promtool", ["check", "metrics"], input: Array(written))
            #expect(check.succeeded, "\(check.output)\(check.errors)")
        }
    }
}
