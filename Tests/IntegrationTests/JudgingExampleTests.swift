import Foundation
import MailDNS
import TestKit
import Testing

/// packaging/examples/dmarc and packaging/examples/spf, applied as they stand to a Postfix of their own.
///
/// Of their text only paths and the user are replaced, which a test cannot have.
@Suite(.serialized)
struct JudgingExampleTests {
    private static let zone = """
        _dmarc.quarantine.example. IN TXT "v=DMARC1; p=quarantine"
        pass.example.              IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        fail.example.              IN TXT "v=spf1 ip4:198.51.100.7 -all"
        """

    /// A client elsewhere, which has said EHLO.
    private func client(of postfix: PostfixInstance) throws -> SMTPClient {
        let client = try postfix.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "192.0.2.1", "NAME": "[UNAVAILABLE]"])
        try client.ehlo("out.example")
        return client
    }

    private func message(_ subject: String, from author: String) -> [UInt8] {
        Array("From: \(author)\r\nSubject: \(subject)\r\n\r\nbody\r\n".utf8)
    }

    @Test func `failures go on hold, and the commands in dmarc/main.cf deal with them`() throws {
        let dns = try ScriptedDNSServer(try ZoneResolver(parsing: Self.zone))
        defer { dns.stop() }
        let sink = try SMTPSink()
        let mainCF = try ExampleFile("dmarc/main.cf")
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings.merge(mainCF.settings) { _, example in example }
        }
        let directives = [
            "scrub": "", "dkim": "Mode v\nNameservers \(dns.nameserver)\n",
            "dmarc": try ExampleFile("dmarc/dmarc.conf").text
                + "Nameservers \(dns.nameserver)\nReportStore none\n",
        ]
        let daemons = try directives.map { name, lines in
            try DaemonProcess(
                "signet-\(name)",
                configuration: lines + "Socket unix:\(postfix.socketPath(name))\n")
        }
        defer { for daemon in daemons { daemon.kill() } }

        let client = try client(of: postfix)
        for subject in ["released", "deleted"] {
            let reply = try client.deliver(
                from: "x@evil.example", to: ["a@example.org"],
                message(subject, from: "u@quarantine.example"))
            #expect(reply.code == 250, "\(reply)")
        }
        let held = try postfix.queue()
        #expect(held.map(\.queueName) == ["hold", "hold"])
        #expect(sink.messages.isEmpty)

        /// Runs one of the comment's commands for a message of the queue.
        func run(_ command: String, _ option: String, on identifier: String) throws -> String {
            #expect(mainCF.text.contains("\"\(command) \(option) ID\""))
            return try Command.require(
                command, ["-c", postfix.configurationDirectory, option, identifier])
        }
        #expect(mainCF.text.contains("\"postqueue -p\""))
        let list = try Command.require("postqueue", ["-c", postfix.configurationDirectory, "-p"])
        for message in held { #expect(list.contains("\(message.queueID)!")) }
        for message in held {
            let shown = try run("postcat", "-q", on: message.queueID)
            #expect(shown.contains("From: u@quarantine.example"))
            let isReleased = shown.contains("Subject: released")
            _ = try run("postsuper", isReleased ? "-H" : "-d", on: message.queueID)
        }
        let arrived = try sink.waitForMessage(containing: "Subject: released\r\n")
        #expect(arrived.values(of: "Authentication-Results").first?.contains("dmarc=fail") == true)
        _ = try wait(for: "an empty queue") { try postfix.queue().isEmpty ? true : nil }
        #expect(sink.messages.count == 1)
    }

    @Test func `Postfix starts signet-spf as spf/master.cf and spf/main.cf say`() throws {
        let dns = try ScriptedDNSServer(try ZoneResolver(parsing: Self.zone))
        defer { dns.stop() }
        let sink = try SMTPSink()
        let directory = try TemporaryDirectory("signet-spf")
        let path = try directory.write(
            try ExampleFile.packagedConfiguration("spf") + "\nNameservers \(dns.nameserver)\n",
            to: "spf.conf")
        // The user must reach the program, also where the build is in a home that is 0700.
        let program = directory.file("signet-spf")
        try FileManager.default.copyItem(
            atPath: ServerProcess.products.path + "/signet-spf", toPath: program)
        let mainCF = try ExampleFile("spf/main.cf")
        let masterCF = try ExampleFile("spf/master.cf").logicalLines.map {
            $0.replacing("user=signet-spf", with: "user=nobody")
                .replacing("/usr/sbin/signet-spf", with: program)
                .replacing("/etc/signet/spf.conf", with: path)
        }
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings.merge(mainCF.settings) { _, example in example }
            configuration.services += masterCF
        }
        let client = try client(of: postfix)
        let passed = try client.deliver(
            from: "u@pass.example", to: ["a@example.org"],
            message("genuine", from: "u@pass.example"))
        #expect(passed.code == 250, "\(passed)")
        let arrived = try sink.waitForMessage(containing: "Subject: genuine\r\n")
        #expect(arrived.values(of: "Received-SPF").first?.hasPrefix(" Pass (mailfrom)") == true)
        let refused = try client.deliver(
            from: "u@fail.example", to: ["a@example.org"], message("forged", from: "x"))
        #expect(refused.code == 550, "\(refused)")
        #expect(refused.lines[0].contains("SPF fail: 192.0.2.1 is not allowed"))
    }
}
