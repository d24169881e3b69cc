import TestKit
import Testing

/// Mail signed by `signet-dkim` behind a real Postfix, on every way in, judged by others' programs.
@Suite(.serialized)
struct SigningTests {
    @Test(arguments: ["simple/simple", "relaxed/simple", "relaxed/relaxed", "simple/relaxed"])
    func smtpAndSendmail(canonicalization: String) throws {
        let host = try SigningHost()
        let daemon = try host.startDaemon("Canonicalization \(canonicalization)")
        let client = try host.postfix.connect()
        try client.ehlo()
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message("one"))
        #expect(reply.code == 250)
        try host.expectTwoGoodSignatures(
            host.sink.waitForMessage(containing: "one@example.org"))

        let text = SigningHost.message("two").filter { $0 != UInt8(ascii: "\r") }
        try host.postfix.sendmail(["-f", "ann@example.org", "bob@example.com"], text)
        try host.expectTwoGoodSignatures(
            host.sink.waitForMessage(containing: "two@example.org"))
        try client.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }

    /// Postfix cuts a header line at a NUL, and makes a bare CR a space, before milters see it and in what it delivers alike.
    ///
    /// So a signature made or checked over what libmilter hands on speaks of the delivered octets. Were this ever to change, this
    /// test would say so.
    @Test func oddOctetsAreCutBeforeMilters() throws {
        let host = try SigningHost()
        let daemon = try host.startDaemon("Canonicalization simple/simple")
        let client = try host.postfix.connect()
        try client.ehlo()
        var message = Array(
            "X-Odd: seen\0unseen\r\nX-Fold: one\r\n two\0unseen\r\n three\rfour\r\n".utf8)
        message += SigningHost.message("odd") + Array("a NUL \0 in the body\r\n".utf8)
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], message)
        #expect(reply.code == 250)
        let delivered = try host.sink.waitForMessage(containing: "odd@example.org")
        try host.expectTwoGoodSignatures(delivered)
        #expect(delivered.values(of: "X-Odd").map { $0.contains("unseen") } == [false])
        #expect(delivered.values(of: "X-Fold").map { $0.contains("unseen") } == [false])
        let headerEnd = Array("\r\n\r\n".utf8)
        let end = delivered.bytes.indices.first { delivered.bytes[$0...].starts(with: headerEnd) }
        let body = delivered.bytes[(end ?? 0)...]
        #expect(!delivered.bytes[..<(end ?? 0)].contains(0))
        #expect(body.contains(0))
        try client.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }

    @Test func submissionWithAPasswordFromAnywhere() throws {
        let host = try SigningHost { $0.listeners.append(PostfixConfiguration.submission()) }
        let daemon = try host.startDaemon()
        let dovecot = try DovecotInstance {
            $0.users = ["ann@example.org": "secret"]
            $0.authenticatedPostfix = host.postfix
        }
        let client = try host.postfix.connect("submission")
        try client.ehlo()
        try client.xclient(["ADDR": "203.0.113.9"])
        try client.ehlo()
        try client.authenticate("ann@example.org", password: "secret")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message("submitted"))
        #expect(reply.code == 250, "\(reply)\n\(host.postfix.log)")
        try host.expectTwoGoodSignatures(
            host.sink.waitForMessage(containing: "submitted@example.org"))
        try client.quit()

        // The same client without a password is an outsider: its claim is not signed.
        let outsider = try host.postfix.connect()
        try outsider.ehlo()
        try outsider.xclient(["ADDR": "203.0.113.9"])
        try outsider.ehlo()
        let forged = try outsider.deliver(
            from: "ann@example.org", to: ["bob@example.org"], SigningHost.message("forged"))
        #expect(forged.code == 250)
        let arrived = try host.sink.waitForMessage(containing: "forged@example.org")
        #expect(arrived.values(of: "DKIM-Signature").isEmpty)
        try outsider.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
        dovecot.stop()
    }

    @Test func submissionThroughDovecot() throws {
        let host = try SigningHost()
        let daemon = try host.startDaemon()
        let port = try host.postfix.port()
        let dovecot = try DovecotInstance {
            $0.users = ["ann@example.org": "secret"]
            $0.submissionRelayPort = port
        }
        let client = try dovecot.connectSubmission()
        try client.ehlo()
        try client.authenticate("ann@example.org", password: "secret")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message("relayed"))
        #expect(reply.code == 250, "\(reply)\n\(dovecot.log)")
        try host.expectTwoGoodSignatures(
            host.sink.waitForMessage(containing: "relayed@example.org"))
        try client.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }

    /// What the guides make people write for OpenDKIM, its paths and port apart: inet, protocol 2,
    /// `refile:` tables, a trusted network with host bits, directives without effect here.
    @Test func aGuidesOpenDKIMConfiguration() throws {
        let port = try LoopbackPort.free()
        let host = try SigningHost {
            $0.settings["smtpd_milters"] = "inet:127.0.0.1:\(port)"
            $0.settings["non_smtpd_milters"] = "$smtpd_milters"
            $0.settings["milter_protocol"] = "2"
            $0.settings["milter_default_action"] = "accept"
        }
        let directory = host.keys.directory
        try directory.write(
            "mail._domainkey.example.org example.org:mail:\(directory.file("mail.private"))\n",
            to: "KeyTable")
        try directory.write("*@example.org mail._domainkey.example.org\n", to: "SigningTable")
        try directory.write(
            "127.0.0.1\nlocalhost\n192.168.0.1/24\n*.example.org\n", to: "TrustedHosts")
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: """
                Syslog yes
                UMask 002
                Canonicalization relaxed/simple
                Mode sv
                PidFile \(directory.file("opendkim.pid"))
                SignatureAlgorithm rsa-sha256
                AutoRestart yes
                AutoRestartRate 10/1h
                Socket inet:\(port)@localhost
                ExternalIgnoreList refile:\(directory.file("TrustedHosts"))
                InternalHosts refile:\(directory.file("TrustedHosts"))
                KeyTable refile:\(directory.file("KeyTable"))
                SigningTable refile:\(directory.file("SigningTable"))

                """)
        let client = try host.postfix.connect()
        try client.ehlo()
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message("guided"))
        #expect(reply.code == 250)
        try client.quit()
        let message = try host.sink.waitForMessage(containing: "guided@example.org")
        let expected = DKIMPeerVerdict(
            domain: "example.org", selector: "mail", algorithm: "rsa-sha256")
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(message.bytes, records: host.keys.records)
            #expect(verdicts == [expected], "\(peer)")
        }
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }
}
