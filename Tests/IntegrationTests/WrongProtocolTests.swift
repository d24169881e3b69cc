import Foundation
import TestKit
import Testing

/// Services that main.cf names in the wrong place, behind a real Postfix.
@Suite(.serialized)
struct WrongProtocolTests {
    private func postfix(_ name: String, _ value: String, _ sink: SMTPSink) throws
        -> PostfixInstance
    {
        try PostfixInstance {
            $0.relayPort = sink.port
            $0.settings[name] = value
        }
    }

    @Test func `a milter in check_policy_service answers at once, and says where it belongs`()
        throws
    {
        let sink = try SMTPSink()
        let postfix = try postfix(
            "smtpd_recipient_restrictions",
            "reject_unauth_destination, check_policy_service unix:signet/scrub.sock", sink)
        let daemon = try DaemonProcess(
            "signet-scrub", configuration: "Socket unix:\(postfix.socketPath("scrub"))\n")
        try postfix.start()
        let client = try postfix.connect()
        try client.ehlo()
        try client.require("MAIL FROM:<ann@example.net>")
        let reply = try client.command("RCPT TO:<bob@example.org>")
        #expect(reply.code == 451, "\(reply)")
        #expect(reply.lines[0].contains("Server configuration problem"), "\(reply)")
        #expect(daemon.log.contains("write it in smtpd_milters, not check_policy_service"))
        // Postfix took the answer for one: it did not try again.
        #expect(!postfix.log.contains("problem talking to server"), "\(postfix.log)")
    }

    @Test func `signet-spf in smtpd_milters answers at once, and says where it belongs`() throws {
        let sink = try SMTPSink()
        let postfix = try postfix("smtpd_milters", "unix:signet/spf.sock", sink)
        let path = postfix.socketPath("spf")
        let directory = try TemporaryDirectory("signet-spf")
        let daemon = try ChildProcess(
            ServerProcess.products.path + "/signet-spf",
            ["-x", try directory.write("", to: "spf.conf"), "-p", "unix:\(path)"],
            descriptors: [.file(directory.file("log"), as: 2)])
        defer { daemon.kill() }
        _ = try wait(for: "signet-spf to listen") { try? LoopbackSocket.connect(path: path) }
        try postfix.start()
        let client = try postfix.connect()
        try client.ehlo()
        // milter_default_action of stock Postfix: tempfail.
        let reply = try client.command("MAIL FROM:<ann@example.net>")
        #expect(reply.code == 451, "\(reply)")
        let log = try Command.require("/bin/cat", [directory.file("log")])
        #expect(log.contains("write it in check_policy_service, not smtpd_milters"), "\(log)")
        #expect(try postfix.waitForLogLine("milter unix:signet/spf.sock").isEmpty == false)
    }
}
