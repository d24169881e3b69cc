import Configuration
import DaemonKit
import MailSyntax
import Milter
import Synchronization
import Testing

@testable import signet_scrub

/// What the log says of a message that is not scrubbed.
struct UnchangedTests {
    /// The topmost Received field as Dovecot's submission service writes it, before it passes the message on.
    private static let dovecot =
        " from laptop.lan ([192.0.2.9])\n\tby imap.example.org with ESMTPSA\n\tid YVJ0\n\t; date"

    /// The lines of a session with two messages of a client.
    private func lines(
        _ address: String, _ received: String, level: Log.Level = .debug
    ) -> [(Log.Level, String)] {
        let lines = Mutex<[(Log.Level, String)]>([])
        let log = Log(
            level: level,
            collecting: { weight, line in
                lines.withLock { $0.append((weight, line)) }
            })
        let reader = ConfigurationReader(
            schema: SignetScrub.description.schema, text: "PostfixDirectory /nowhere\n",
            named: "scrub.conf")
        let services = ScrubServices(
            configuration: Snapshot(ScrubConfiguration(reading: reader)), log: log)
        let session = ScrubFilter(services: services).makeSession(
            protocol: NegotiatedProtocol(edits: [.addHeaders, .changeHeaders]))
        let client = MilterClient(
            hostName: "client.example.net", family: .ipv4, address: IPAddress(address), port: 1)
        let macros = MilterMacros(["i": "4XyZ", "j": "mx.example.org"])
        _ = session.connect(client, macros)
        for _ in 0..<2 {
            _ = session.mail(Array("<a@example.org>".utf8).span, parameters: [], macros)
            for value in [received, " from elsewhere"] {
                _ = session.header(
                    name: Array("Received".utf8).span, value: Array(value.utf8).span)
            }
            #expect(session.endOfMessage(macros) == .continue)
        }
        return lines.withLock { $0 }
    }

    @Test func `the reason is logged for those who ask for it`() {
        let said = lines("192.0.2.1", Self.dovecot)
        #expect(
            said.map(\.1)
                == Array(
                    repeating: "4XyZ: unchanged: client.example.net [192.0.2.1] is not internal "
                        + "and has not logged in", count: 2))
        #expect(lines("192.0.2.1", Self.dovecot, level: .info).isEmpty)
    }

    @Test func `mail of Dovecot's users that is not scrubbed is warned of, once`() {
        let said = lines("127.0.0.1", Self.dovecot, level: .info)
        #expect(said.count == 1)
        #expect(said.first?.0 == .warning)
        #expect(said.first?.1.contains("name that client in InternalHosts") == true)
    }

    /// Received fields of mail from this host, and whether they tell of a login to another program than Postfix.
    @Test(arguments: [
        (dovecot, true), (" from a ([192.0.2.9]) by b with ESMTPA id 1", true),
        (" from a ([192.0.2.9]) by b with ESMTPS id 1", false),
        (" from a (a [192.0.2.9]) by b (Postfix) with ESMTPSA id 1", false), (" with", false),
        ("", false),
    ])
    func `a login is seen by its transmission type`(_ received: String, _ isLogin: Bool) {
        #expect(ScrubSession.isRelayedSubmission(Array(received.utf8)) == isLogin)
    }
}
