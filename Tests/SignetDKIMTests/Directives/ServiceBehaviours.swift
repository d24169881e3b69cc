import FlightRecord
import Foundation
import Glibc
import MailDNS
import Metrics
import Milter
import Observation
import SessionTestKit
import SigningLog
import TestKit
import Testing

@testable import Configuration
@testable import DaemonKit
@testable import signet_dkim

extension Behaviours {
    /// What the configuration says of the process; the daemon itself shows it in `ServiceTests`.
    static let service: Checks = [
        "Socket": {
            #expect(settings("").socket == .unix(path: "/var/spool/postfix/signet/dkim.sock"))
            #expect(settings("Socket local:/run/x.sock\n").socket == .unix(path: "/run/x.sock"))
            #expect(
                settings("Socket inet:12145@localhost\n").socket
                    == .inet(port: 12145, host: "localhost"))
            #expect(!errors("Socket local:x.sock\n").isEmpty)
        },
        "SocketGroup": {
            #expect(settings("").socketGroup == "postfix")
            #expect(settings("SocketGroup mail\n").socketGroup == "mail")
        },
        "PostfixDirectory": {
            let folder = try TemporaryDirectory("signet-postfix")
            func warnings(_ list: String, _ text: String, named: String = "dkim.conf") throws -> Int
            {
                try folder.write("smtpd_milters = \(list)\n", to: "main.cf")
                let reader = ConfigurationReader(
                    schema: SignetDKIM.description.schema,
                    text: "PostfixDirectory \(folder.path)\n\(text)", named: named)
                _ = DKIMConfiguration(reading: reader)
                return reader.problems.count {
                    $0.severity == .warning && $0.message.contains("removes its results")
                }
            }
            let wrong = "unix:signet/dmarc.sock, unix:signet/dkim.sock"
            #expect(try warnings(wrong, "") == 1)
            #expect(try warnings("inet:localhost:8893, unix:signet/dkim.sock", "") == 1)
            #expect(try warnings("unix:signet/dkim.sock, unix:signet/dmarc.sock", "") == 0)
            #expect(try warnings(wrong, "KeepAuthResults yes\n") == 0)
            let signs = try Keys.shared.get().single + "Mode s\n"
            #expect(try warnings(wrong, signs) == 0)
            // Results under another name are not touched.
            try folder.write("AuthservID other.example.org\n", to: "dmarc.conf")
            #expect(try warnings(wrong, "", named: folder.file("dkim.conf")) == 0)
            let same = "AuthservID Other.example.org\n"
            #expect(try warnings(wrong, same, named: folder.file("dkim.conf")) == 1)
        },
        "Shadow": {
            let keys = try Keys.shared.get()
            let shadow = ours(keys.single + "Shadow yes\n")
            func compared(
                _ text: String, _ message: MailMessage,
                _ change: (inout Exchange) -> Void = { _ in }
            ) throws -> [String] {
                let passage = try pass(text, message) {
                    change(&$0)
                    $0.edits = []
                }
                #expect(passage.verdict == .continue)
                return passage.log.compactMap { line in
                    line.split(separator: "shadow: differs: ").dropFirst().first.map(String.init)
                }
            }
            func longer(_ message: MailMessage) -> MailMessage {
                var message = message
                message.body += Array("more\r\n".utf8)
                return message
            }
            let of = "; d=example.org s=mail"
            let signed = try MailMessage.plain.signed()
            #expect(try compared(shadow, signed).isEmpty)
            #expect(try compared(shadow, .plain) == ["signature made here, not there\(of)"])
            let simple = try MailMessage.plain.signed("Canonicalization relaxed/relaxed\n")
            #expect(
                try compared(shadow, simple)
                    == ["signature: c= is relaxed/relaxed there, simple/simple here\(of)"])
            let fewer = try MailMessage.plain.signed("OmitHeaders Subject\n")
            let omitted = try compared(shadow, fewer)
            #expect(omitted == ["signature: covers subject only here\(of)"], "\(omitted)")
            // What strangers have signed is verified: a result stands on top of it.
            let stranger = keys.single + "Shadow yes\n"
            let result = "mx.example.org; dkim=pass header.d=example.org"
            let verified = signed.adding(("Authentication-Results", result))
            #expect(try compared(stranger, verified).isEmpty)
            // Where nothing is verified, what a stranger has signed is nobody's work here.
            #expect(try compared(stranger + "Mode s\n", signed).isEmpty)
            let changed = try compared(
                stranger, longer(verified))
            #expect(changed.count == 1)
            #expect(changed.first?.hasPrefix("dkim=pass there, fail here (") == true, "\(changed)")
            let refusing = stranger + "On-BadSignature reject\n"
            #expect(
                try compared(refusing, longer(signed)).contains {
                    $0.hasPrefix("accepted there, 550 5.7.20 here")
                })
            // Nothing can be changed that was not asked for.
            let (settings, _) = read(shadow)
            let services = DKIMServices(
                configuration: Snapshot(settings), resolver: ZoneResolver(), log: Log())
            let needs = DKIMFilter(services: services).needs
            #expect(needs.possibleEdits == [])
        },
        "Transport": {
            func transport(_ text: String) -> MilterTransport {
                MilterTransport(
                    ConfigurationReader(
                        schema: SignetDKIM.description.schema, text: text, named: "x"))
            }
            #expect(transport("") == .native && transport("Transport native\n") == .native)
            #expect(transport("Transport libmilter\n") == .libmilter)
            #expect(!errors("Transport other\n").isEmpty)
            #expect(SignetDKIM.description.schema["Transport"]?.needsRestart == true)
        },
        "UMask": {
            #expect(settings("").mask == 0o007 && settings("UMask 002\n").mask == 0o002)
            #expect(!errors("UMask 9\n").isEmpty)
        },
        "UserID": {
            #expect(settings("UserID opendkim:mail\n").user == UserSpec("opendkim:mail"))
        },
        "FlightRecord": {
            #expect(observation("").record.directory == "/var/lib/signet-dkim/flight")
            #expect(observation("FlightRecord none\n").record.directory == nil)
            #expect(observation("FlightRecord /srv/x\n").record.directory == "/srv/x")
            // What is in it is shown in ExplainTests.
        },
        "FlightRecordLimit": {
            #expect(observation("").record.limit == 64 << 20)
            #expect(observation("FlightRecordLimit 2M\n").record.limit == 2 << 20)
            // That it is kept is shown in FlightStoreTests.
        },
        "FlightRecordPrivacy": {
            #expect(observation("FlightRecordPrivacy strict\n").record.privacy == .strict)
            // What is left out is shown in FlightEntryTests and ExplainTests.
        },
        "Metrics": {
            #expect(observation("").metrics.socket == "/run/signet-dkim/metrics.sock")
            #expect(observation("Metrics none\n").metrics.socket == nil)
            // What is given on it is shown in ExplainTests.
        },
        "SigningLog": {
            #expect(read("").configuration.signingLog.directory == nil)
            #expect(read("SigningLog none\n").configuration.signingLog.directory == nil)
            #expect(!errors("SigningLog signed\n").isEmpty)
            let folder = try TemporaryDirectory()
            let directory = folder.file("signed")
            let text = ours("SigningLog \(directory)\n" + (try Keys.shared.get().twins))
            let settings = read(text).configuration
            let signingLog = SigningLog(
                settings.signingLog, seconds: { 20_000 * 86_400 },
                report: { Issue.record("\($0)") })
            let services = DKIMServices(
                configuration: Snapshot(settings), resolver: ZoneResolver(), log: Log(),
                signingLog: signingLog)
            let filter = DKIMFilter(services: services)
            #expect(filter.needs.events.contains(.recipient))
            var exchange = try Exchange(text)
            exchange.recipients = ["<a@one.example>", "<b@One.example>", "<c@two.example>", "<d>"]
            let session = filter.makeSession(
                protocol: NegotiatedProtocol(edits: [.addHeaders, .changeHeaders]))
            exchange.connect(session)
            for _ in 0..<2 { _ = exchange.deliver(.plain, session) }
            // Only what is signed counts.
            _ = exchange.deliver(.plain.with(("From", "eve@example.com")), session)
            session.close()
            signingLog?.close()
            let ledger = try #require(try SigningLedger.read([directory], since: 0))
            // Two messages to two domains.
            #expect(ledger.messages(of: "example.org", in: 0...30_000) == 4)
            #expect(ledger.recipientDomains(of: "example.org", in: 0...30_000) == 2)
            #expect(ledger.messages(of: "example.com", in: 0...30_000) == 0)
            let lines = try String(
                contentsOfFile: "\(directory)/20000.signed", encoding: .utf8
            ).split(separator: "\n")
            #expect(lines.count == 4)
            #expect(lines.count { $0.contains(" ed25519-sha256 ") } == 2)
            #expect(!lines.contains { $0.contains("@") })
        },
        "PidFile": {
            #expect(settings("PidFile /run/x.pid\n").pidFile == "/run/x.pid")
        },
        "Syslog": {
            #expect(settings("Syslog yes\n").usesSyslog && !settings("").usesSyslog)
        },
        "SyslogFacility": {
            #expect(settings("").syslogFacility == "mail")
            #expect(settings("SyslogFacility local3\n").syslogFacility == "local3")
            #expect(!errors("SyslogFacility post\n").isEmpty)
        },
        "SyslogName": {
            #expect(settings("").syslogName == "signet-dkim")
            #expect(settings("SyslogName dkim-in\n").syslogName == "dkim-in")
        },
        "SyslogSuccess": {
            let keys = try Keys.shared.get()
            let signed = try pass(ours("SyslogSuccess yes\n" + keys.twins))
            #expect(
                signed.log == [
                    "4XyZ: DKIM-Signature field added (s=mail, d=example.org), "
                        + "(s=ed, d=example.org)"
                ])
            let verified = try pass("SyslogSuccess yes\n", signed.message)
            #expect(
                verified.log == [
                    "4XyZ: DKIM verification successful (s=mail, d=example.org), "
                        + "(s=ed, d=example.org)"
                ])
            #expect(try pass("SyslogSuccess yes\n").log == ["4XyZ: no signature data"])
            #expect(try pass(ours(keys.twins)).log.isEmpty)
        },
    ]

    private static func settings(_ text: String) -> ServiceSettings {
        ServiceSettings(
            ConfigurationReader(schema: SignetDKIM.description.schema, text: text, named: "x"))
    }
}

/// What a configuration says of the record and the metrics.
private func observation(_ text: String) -> ObservationSettings {
    let reader = ConfigurationReader(
        schema: SignetDKIM.description.schema, text: text, named: "x.conf")
    return ObservationSettings(reader)
}
