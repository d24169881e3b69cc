import Foundation
import TestKit
import Testing

/// Mail signed by `signet-dkim` behind a real Postfix, on every way in, judged by others' programs.
@Suite(.serialized)
struct SigningTests {
    private let sink: SMTPSink
    private let keys: SigningKeys

    init() throws {
        sink = try SMTPSink()
        keys = try SigningKeys()
    }

    /// A message whose white space gives canonicalization something to do.
    private func message(_ subject: String) -> [UInt8] {
        Array(
            """
            From: Ann <ann@example.org>\r
            To: bob@example.com,\r
            \t carol@example.com\r
            Subject:  \(subject)  of  spaces\r
            Date: Sat, 21 Nov 2026 08:00:00 +0000\r
            Message-ID: <\(subject)@example.org>\r
            \r
            .a dot  and  spaces \r
            \r
            \r

            """.utf8)
    }

    /// A Postfix whose milter is at `signet/dkim.sock`, and the daemon that serves it there.
    private func start(
        _ directives: String = "", change: (inout PostfixConfiguration) -> Void = { _ in }
    ) throws -> (PostfixInstance, DaemonProcess) {
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings["smtpd_milters"] = "unix:signet/dkim.sock"
            configuration.settings["non_smtpd_milters"] = "unix:signet/dkim.sock"
            change(&configuration)
        }
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: keys.directives + directives
                + "Socket unix:\(postfix.socketPath("dkim"))\n")
        return (postfix, daemon)
    }

    /// Expects that `message` has both signatures and that each peer verifies both.
    private func expectTwoGoodSignatures(
        _ message: SMTPSink.Message, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(message.values(of: "DKIM-Signature").count == 2, sourceLocation: sourceLocation)
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(message.bytes, records: keys.records)
            #expect(Set(verdicts) == keys.goodVerdicts, "\(peer)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ["simple/simple", "relaxed/simple", "relaxed/relaxed", "simple/relaxed"])
    func smtpAndSendmail(canonicalization: String) throws {
        let (postfix, daemon) = try start("Canonicalization \(canonicalization)\n")
        let client = try postfix.connect()
        try client.ehlo()
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], message("one"))
        #expect(reply.code == 250)
        try expectTwoGoodSignatures(sink.waitForMessage(containing: "one@example.org"))

        let text = message("two").filter { $0 != UInt8(ascii: "\r") }
        try postfix.sendmail(["-f", "ann@example.org", "bob@example.com"], text)
        try expectTwoGoodSignatures(sink.waitForMessage(containing: "two@example.org"))
        try client.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }

    @Test func submissionWithAPasswordFromAnywhere() throws {
        let (postfix, daemon) = try start {
            $0.listeners.append(PostfixConfiguration.submission())
        }
        let dovecot = try DovecotInstance {
            $0.users = ["ann@example.org": "secret"]
            $0.authenticatedPostfix = postfix
        }
        let client = try postfix.connect("submission")
        try client.ehlo()
        try client.xclient(["ADDR": "203.0.113.9"])
        try client.ehlo()
        try client.authenticate("ann@example.org", password: "secret")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], message("submitted"))
        #expect(reply.code == 250, "\(reply)\n\(postfix.log)")
        try expectTwoGoodSignatures(sink.waitForMessage(containing: "submitted@example.org"))

        // The same client without a password is an outsider: its claim is not signed.
        let outsider = try postfix.connect()
        try outsider.ehlo()
        try outsider.xclient(["ADDR": "203.0.113.9"])
        try outsider.ehlo()
        let forged = try outsider.deliver(
            from: "ann@example.org", to: ["bob@example.org"], message("forged"))
        #expect(forged.code == 250)
        let arrived = try sink.waitForMessage(containing: "forged@example.org")
        #expect(arrived.values(of: "DKIM-Signature").isEmpty)
        try client.quit()
        try outsider.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
        dovecot.stop()
    }

    @Test func submissionThroughDovecot() throws {
        let (postfix, daemon) = try start()
        let port = try postfix.port()
        let dovecot = try DovecotInstance {
            $0.users = ["ann@example.org": "secret"]
            $0.submissionRelayPort = port
        }
        let client = try dovecot.connectSubmission()
        try client.ehlo()
        try client.authenticate("ann@example.org", password: "secret")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], message("relayed"))
        #expect(reply.code == 250, "\(reply)\n\(dovecot.log)")
        try expectTwoGoodSignatures(sink.waitForMessage(containing: "relayed@example.org"))
        try client.quit()
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }
}
