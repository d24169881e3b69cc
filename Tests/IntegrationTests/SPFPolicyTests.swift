import Foundation
import Glibc
import MailDNS
import MailSyntax
import Synchronization
import TestKit
import Testing

/// signet-spf behind a real Postfix; XCLIENT plays the outside world.
@Suite(.serialized)
struct SPFPolicyTests {
    /// The records of the senders' domains; clients come from 192.0.2.1.
    private static let zone = """
        pass.example.       IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        fail.example.       IN TXT "v=spf1 ip4:198.51.100.7 -all"
        softfail.example.   IN TXT "v=spf1 ~all"
        permerror.example.  IN TXT "v=spf1 everyone -all"
        helo.example.       IN TXT "v=spf1 ip4:192.0.2.1 -all"
        none.example.       IN A   192.0.2.99
        """

    /// How signet-spf is reached.
    enum Form: CaseIterable, Sendable {
        /// One daemon on a unix socket.
        case socket
        /// A process for each smtpd, which spawn(8) starts.
        case spawn
    }

    /// A Postfix with its signet-spf, DNS and sink.
    final class Host {
        let dns: ScriptedDNSServer
        let sink: SMTPSink
        let postfix: PostfixInstance
        private var daemon: ChildProcess?
        private var configurationFile: String { postfix.directory.file("spf.conf") }

        init(_ form: Form, _ settings: String = "") throws {
            dns = try ScriptedDNSServer(try ZoneResolver(parsing: SPFPolicyTests.zone))
            dns.set(.code(2), for: try .init("temperror.example"))
            let sink = try SMTPSink()
            self.sink = sink
            var configuration = PostfixConfiguration()
            configuration.relayPort = sink.port
            let service =
                form == .socket ? "unix:signet/spf.sock" : "unix:private/policyd-spf"
            configuration.settings = [
                "smtpd_recipient_restrictions":
                    "reject_unauth_destination, check_policy_service \(service)",
                "policyd-spf_time_limit": "3600",
            ]
            // The configuration's place is known only when the instance is made, yet it is a fixed one
            // in its directory: a symbolic name would not do for argv.
            let directory = try TemporaryDirectory("signet-spf")
            let path = try directory.write(
                "Nameservers \(dns.nameserver)\nLookup_Time 5\n\(settings)\n", to: "spf.conf")
            self.directory = directory
            if form == .spawn {
                // The user must reach the program, also where the build is in a home that is 0700.
                let program = directory.file("signet-spf")
                try FileManager.default.copyItem(atPath: SPFPolicyTests.program, toPath: program)
                configuration.services = [
                    "policyd-spf unix - n n - 0 spawn",
                    "  user=nobody argv=\(program) \(path)",
                ]
            }
            postfix = try PostfixInstance(configuration)
            if form == .socket { try startDaemon() }
            try postfix.start()
        }

        private let directory: TemporaryDirectory

        deinit {
            daemon?.kill()
            dns.stop()
        }

        func startDaemon() throws {
            let path = postfix.socketPath("spf")
            let process = try ChildProcess(
                SPFPolicyTests.program,
                ["-x", directory.file("spf.conf"), "-p", "unix:\(path)"],
                descriptors: [.file(directory.file("log"), as: 2)])
            daemon = process
            _ = try wait(for: "signet-spf to listen") { try? LoopbackSocket.connect(path: path) }
        }

        func killDaemon() throws {
            daemon?.send(SIGKILL)
            _ = try daemon?.waitForEnd()
        }

        /// A client elsewhere, which has said EHLO.
        func client(helo: String = "none.example") throws -> SMTPClient {
            let client = try postfix.connect()
            try client.ehlo()
            try client.xclient(["ADDR": "192.0.2.1", "NAME": "[UNAVAILABLE]"])
            try client.ehlo(helo)
            return client
        }
    }

    private static let program = ServerProcess.products.path + "/signet-spf"

    private func message(_ subject: String) -> [UInt8] {
        Array("Subject: \(subject)\r\n\r\nbody\r\n".utf8)
    }

    @Test(arguments: Form.allCases)
    func `each result has its consequence`(_ form: Form) throws {
        let host = try Host(form, "TempError_Defer yes\nPermError_reject no")
        let client = try host.client(helo: "helo.example")
        let accepted = [
            ("u@pass.example", "Pass (mailfrom)"), ("u@softfail.example", "Softfail (mailfrom)"),
            ("u@permerror.example", "Permerror (mailfrom)"), ("u@none.example", "Pass (helo)"),
            ("", "Pass (helo)"),
        ]
        for (index, (sender, result)) in accepted.enumerated() {
            let reply = try client.deliver(
                from: sender, to: ["a@example.org"], message("mail \(index)."))
            #expect(reply.code == 250, "\(reply)")
            let arrived = try host.sink.waitForMessage(containing: "mail \(index).")
            let fields = arrived.values(of: "Received-SPF")
            #expect(fields.count == 1)
            #expect(fields.first?.hasPrefix(" \(result) identity=") == true, "\(fields)")
            // A field that is added stands above Postfix's own Received.
            #expect(arrived.fields.first?.hasPrefix("Received-SPF:") == true)
        }
        let failed = try client.deliver(
            from: "u@fail.example", to: ["a@example.org"], message("x"))
        #expect(failed.code == 550)
        #expect(failed.lines[0].hasPrefix("5.7.23 <a@example.org>: Recipient address rejected: "))
        #expect(failed.lines[0].contains("SPF fail: 192.0.2.1 is not allowed"))
        try client.command("RSET")
        let deferred = try client.deliver(
            from: "u@temperror.example", to: ["a@example.org"], message("x"))
        #expect(deferred.code == 450)
        #expect(deferred.lines[0].hasPrefix("4.7.24 <a@example.org>: "), "\(deferred)")
    }

    @Test func `several recipients make one field, and a refusal for each`() throws {
        let host = try Host(.socket, "HELO_reject False")
        let client = try host.client()
        let reply = try client.deliver(
            from: "u@pass.example", to: ["a@example.org", "b@example.org", "c@example.org"],
            message("many"))
        #expect(reply.code == 250)
        let arrived = try host.sink.waitForMessage(containing: "many")
        #expect(arrived.recipients.count == 3)
        #expect(arrived.values(of: "Received-SPF").count == 1)
        try client.require("MAIL FROM:<u@fail.example>")
        for recipient in ["a", "b"] {
            #expect(try client.command("RCPT TO:<\(recipient)@example.org>").code == 550)
        }
    }

    @Test func `both fields, where the service is named twice`() throws {
        let host = try Host(.socket, "Header_Type both\nAuthserv_Id spf.example.org")
        var configuration = host.postfix.configuration
        let service = "check_policy_service unix:signet/spf.sock"
        configuration.settings["smtpd_recipient_restrictions"] =
            "reject_unauth_destination, \(service), \(service)"
        try host.postfix.reload(configuration)
        let reply = try host.client().deliver(
            from: "u@pass.example", to: ["a@example.org"], message("both"))
        #expect(reply.code == 250)
        let arrived = try host.sink.waitForMessage(containing: "both")
        #expect(arrived.values(of: "Received-SPF").count == 1)
        let results = arrived.values(of: "Authentication-Results")
        #expect(results.count == 1)
        #expect(results.first?.hasPrefix(" spf.example.org; spf=pass") == true, "\(results)")
    }

    @Test func `an authenticated client is not checked`() throws {
        let host = try Host(.socket)
        // XCLIENT LOGIN says who has logged in elsewhere.
        let client = try host.postfix.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "192.0.2.1", "NAME": "[UNAVAILABLE]", "LOGIN": "user"])
        try client.ehlo("none.example")
        let reply = try client.deliver(
            from: "u@fail.example", to: ["a@example.org"], message("mine"))
        #expect(reply.code == 250, "\(reply)")
        let arrived = try host.sink.waitForMessage(containing: "mine")
        #expect(arrived.values(of: "Received-SPF").isEmpty)
    }

    @Test func `a daemon that is killed under load costs time, and no mail`() throws {
        let host = try Host(.socket)
        let replies = Mutex<[SMTPReply]>([])
        let senders = 4
        let rounds = 12
        for sender in 0..<senders {
            BackgroundThread.start { [port = try host.postfix.port()] in
                for round in 0..<rounds {
                    // A broken test ends with a count that is never reached.
                    guard
                        let reply = try? Self.deliver("\(sender)-\(round)", toPort: port)
                    else { return }
                    replies.withLock { $0.append(reply) }
                }
            }
        }
        func waitForReplies(_ count: Int) throws {
            _ = try wait(for: "\(count) replies", seconds: 60) {
                replies.withLock { $0.count >= count } ? true : nil
            }
        }
        for fraction in [4, 2] {
            try waitForReplies(senders * rounds / (2 * fraction))
            try host.killDaemon()
            usleep(1_500_000)
            try host.startDaemon()
        }
        try waitForReplies(senders * rounds)
        let all = replies.withLock { $0 }
        #expect(all.allSatisfy { $0.code == 250 || $0.code == 451 }, "\(all)")
        let accepted = all.count { $0.code == 250 }
        #expect(accepted >= rounds)
        #expect(try host.sink.waitForMessages(accepted).count == accepted)
    }

    private static func deliver(_ name: String, toPort port: UInt16) throws -> SMTPReply {
        let client = try SMTPClient(port: port)
        try client.ehlo()
        try client.xclient(["ADDR": "192.0.2.1", "NAME": "[UNAVAILABLE]"])
        try client.ehlo("none.example")
        return try client.deliver(
            from: "u@pass.example", to: ["a@example.org"], Array("Subject: \(name)\r\n\r\n".utf8))
    }
}
