import Foundation
import MailDNS
import TestKit
import Testing

/// Two hosts that exchange mail for three days, and then what each of them has seen of the other's: the numbers that are sent,
/// received and imported are those of the messages that flowed.
@Suite(.serialized)
struct ReportRoundTripTests {
    /// A host of one domain: it signs what it sends, evaluates what it gets, and imports reports.
    private final class Host {
        let domain: String
        let keys: SigningKeys
        let folder: TemporaryDirectory
        let postfix: PostfixInstance
        private(set) var daemons: [DaemonProcess] = []

        init(_ domain: String, relay: UInt16?) throws {
            self.domain = domain
            keys = try SigningKeys(domain: domain)
            folder = try TemporaryDirectory("signet-round")
            // Where a user without rights may run it.
            try FileManager.default.copyItem(
                atPath: try DaemonProcess.path(of: "signet"), toPath: folder.file("signet"))
            try folder.makeDirectory("state", owner: "nobody", group: "nogroup")
            let command =
                "\(folder.file("signet")) report import --domains \(domain) --store \(folder.file("state/r.db"))"
            try folder.write(
                "reports \"|\(command)\"\nbob \"|/bin/cat >/dev/null\"\n", to: "aliases")
            let aliases = folder.file("aliases")
            postfix = try PostfixInstance { configuration in
                configuration.hostName = "mx.\(domain)"
                configuration.relayPort = relay
                configuration.settings = [
                    "mydestination": domain, "relay_domains": "", "default_privs": "nobody",
                    "alias_maps": "texthash:\(aliases)",
                    "smtpd_milters": "unix:signet/dmarc.sock",
                    "non_smtpd_milters": "unix:signet/dkim.sock",
                ]
            }
            try folder.write(
                """
                #!/bin/sh
                exec /usr/sbin/sendmail -C \(postfix.configurationDirectory) "$@"

                """, to: "sendmail", mode: 0o755)
        }

        func startDaemons(_ nameserver: String) throws {
            daemons = [
                try DaemonProcess(
                    "signet-dkim",
                    configuration: """
                        \(keys.directives)Mode s
                        SigningLog \(folder.file("signed"))
                        Socket unix:\(postfix.socketPath("dkim"))

                        """),
                try DaemonProcess(
                    "signet-dmarc",
                    configuration: """
                        Nameservers \(nameserver)
                        Socket unix:\(postfix.socketPath("dmarc"))
                        ReportStore \(folder.file("reports.db"))
                        IgnoreHosts 203.0.113.99
                        SyslogSuccess yes

                        """),
            ]
        }

        /// Sends mail of its domain to a recipient.
        func send(_ count: Int, to recipient: String, _ name: String) throws {
            for number in 0..<count {
                try postfix.sendmail(
                    ["-f", "ann@\(domain)", recipient],
                    Array(
                        "From: ann@\(domain)\nTo: \(recipient)\nSubject: \(name)-\(number)\n\nHello.\n"
                            .utf8))
            }
        }

        func query(_ statement: String) throws -> String {
            try Command.require(
                "/usr/bin/sqlite3",
                ["-cmd", ".timeout 5000", folder.file("reports.db"), statement])
        }

        /// Waits for what it has evaluated and signed today, and turns its clock by moving that to a day before.
        func endDay(_ today: Int, daysAgo: Int, evaluated: Int, signed: Int) throws {
            _ = try wait(for: "\(evaluated) evaluations at \(domain)", seconds: 60) {
                let sum =
                    "SELECT coalesce(sum(messages), 0) FROM message_count WHERE day = \(today)"
                let found = try? query(sum)
                return found == "\(evaluated)\n" ? true : nil
            }
            _ = try query(
                "UPDATE message_count SET day = \(today - daysAgo) WHERE day = \(today)")
            let file = folder.file("signed/\(today).signed")
            _ = try wait(for: "\(signed) signed messages at \(domain)", seconds: 60) {
                let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
                let sum = text.split(separator: "\n").reduce(0) {
                    $0 + (Int($1.split(separator: " ").last ?? "") ?? 0)
                }
                return sum == signed ? true : nil
            }
            try FileManager.default.moveItem(
                atPath: file, toPath: folder.file("signed/\(today - daysAgo).signed"))
        }

        /// Sends the reports about a day.
        func report(_ day: String, _ nameserver: String) throws -> String {
            try Command.require(
                folder.file("signet"),
                [
                    "report", "send", "--store", folder.file("reports.db"), "--day", day,
                    "--organization", domain, "--email", "dmarc@\(domain)", "--sendmail",
                    folder.file("sendmail"), "--nameserver", nameserver,
                ])
        }

        /// What the reports of others say, once they speak of so many messages.
        func received(_ messages: Int) throws -> Shown.Domain {
            try wait(for: "reports about \(messages) messages at \(domain)", seconds: 60) {
                let run = try Command.run(
                    folder.file("signet"),
                    [
                        "report", "show", domain, "--json", "--store", folder.file("state/r.db"),
                        "--signed", folder.file("signed"),
                    ])
                guard run.succeeded else { return nil }
                let shown = try JSONDecoder().decode(Shown.self, from: Data(run.output.utf8))
                return shown.domains.first.flatMap { $0.messages == messages ? $0 : nil }
            }
        }
    }

    private struct Shown: Decodable {
        struct Domain: Decodable {
            let messages: Int
            let pass: Int
            let fail: Int
            let reports: Int
            let signed_here: Signed
        }

        struct Signed: Decodable {
            struct Reporter: Decodable {
                let reporter: String
                let messages: Int
                let failed: Int
                let through: [Through]
            }

            struct Through: Decodable {
                let name: String
                let failed: Int
            }

            let messages: Int
            let reported: Int
            let failed: Int
            let failed_unsigned: Int
            let reporters: [Reporter]
        }

        let domains: [Domain]
    }

    private static let records = ["one.example", "two.example"].map {
        """
        \($0). IN TXT "v=spf1 -all"
        _dmarc.\($0). IN TXT "v=DMARC1; p=none; rua=mailto:reports@\($0)"

        """
    }.joined()

    @Test func `the numbers that come back are those of the messages that flowed`() throws {
        let one = try Host("one.example", relay: nil)
        let two = try Host("two.example", relay: one.postfix.port())
        let sink = try SMTPSink()
        var configuration = one.postfix.configuration
        configuration.relayPort = try two.postfix.port()
        configuration.settings["transport_maps"] =
            "inline:{ {forward.example=smtp:[127.0.0.1]:\(sink.port)} }"
        try one.postfix.reload(configuration)
        let dns = try ScriptedDNSServer(
            try ZoneResolver(
                parsing: Self.records + one.keys.zone + two.keys.zone
                    + "forward.example. IN TXT \"v=spf1 ip4:192.0.2.66 -all\"\n"))
        defer { dns.stop() }
        for host in [one, two] { try host.startDaemons("\(dns.nameserver)") }

        let today = Int(Date().timeIntervalSince1970) / 86_400
        let toTwo = [2, 3, 4]
        let toOne = [1, 2, 3]
        for day in 0..<3 {
            try one.send(toTwo[day], to: "bob@two.example", "a\(day)")
            try two.send(toOne[day], to: "bob@one.example", "b\(day)")
            // On the second day one message takes the way over somebody who changes it, and somebody forges another.
            let isSpecial = day == 1
            if isSpecial {
                try one.send(1, to: "list@forward.example", "changed")
                let message = try sink.waitForMessage(containing: "Subject: changed-0")
                try deliver(
                    message.bytes + Array("\r\n-- \r\nThe list\r\n".utf8), to: two,
                    from: "list@forward.example", at: "192.0.2.66")
                try deliver(
                    Array("From: ann@one.example\r\nSubject: forged\r\n\r\nx\r\n".utf8), to: two,
                    from: "x@evil.example", at: "203.0.113.9")
            }
            let ago = 3 - day
            try two.endDay(
                today, daysAgo: ago, evaluated: toTwo[day] + (isSpecial ? 2 : 0),
                signed: toOne[day])
            try one.endDay(
                today, daysAgo: ago, evaluated: toOne[day],
                signed: toTwo[day] + (isSpecial ? 1 : 0))
        }
        for ago in [3, 2, 1] {
            let date = Date(timeIntervalSince1970: Double((today - ago) * 86_400))
            let day = date.ISO8601Format(.iso8601.year().month().day())
            for host in [one, two] {
                let sent = try host.report(day, "\(dns.nameserver)")
                #expect(sent.hasSuffix("sent 1, waiting 0, failed 0, refused 0, suppressed 0\n"))
            }
        }

        let atOne = try one.received(11)
        #expect((atOne.pass, atOne.fail, atOne.reports) == (9, 2, 3))
        let signed = atOne.signed_here
        #expect((signed.messages, signed.reported, signed.failed) == (10, 10, 1))
        #expect(signed.failed_unsigned == 1)
        #expect(signed.reporters.map(\.reporter) == ["two.example"])
        #expect(signed.reporters.first?.through.map(\.name) == ["forward.example"])
        let atTwo = try two.received(6)
        #expect((atTwo.pass, atTwo.fail, atTwo.reports) == (6, 0, 3))
        #expect(
            (atTwo.signed_here.messages, atTwo.signed_here.reported, atTwo.signed_here.failed)
                == (6, 6, 0))
        // The mails with the reports pass DMARC where they come to.
        for (host, other, mails) in [(one, "two.example", 6 + 3), (two, "one.example", 9 + 3)] {
            let passes = host.daemons[1].log.count { $0.contains("\(other) pass") }
            #expect(passes == mails, "\(host.daemons[1].log)")
        }
        for host in [one, two] {
            for daemon in host.daemons { #expect(try daemon.stop() == .exited(0)) }
        }
    }

    /// Delivers a message as a client elsewhere.
    private func deliver(
        _ message: [UInt8], to host: Host, from sender: String, at address: String
    ) throws {
        let client = try host.postfix.connect()
        try client.ehlo()
        try client.xclient(["ADDR": address, "NAME": "out.forward.example"])
        try client.ehlo("out.forward.example")
        let reply = try client.deliver(from: sender, to: ["bob@\(host.domain)"], message)
        #expect(reply.isPositive, "\(reply)")
        try client.quit()
    }
}
