import TestKit
import Testing

/// A service that main.cf names in the wrong place, behind a real Postfix.
@Suite
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
        let line = "this is a milter; write it in smtpd_milters, not check_policy_service"
        #expect(daemon.log.contains { $0.hasSuffix(line) }, "\(daemon.log)")
        // Postfix took the answer for one: it did not try again.
        #expect(!postfix.log.contains("problem talking to server"), "\(postfix.log)")
    }
}
