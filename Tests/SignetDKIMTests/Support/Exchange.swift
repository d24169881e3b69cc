import Configuration
import DaemonKit
import Foundation
import MailDNS
import MailSyntax
import Milter
import Observation
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

/// Why a configuration could not be used.
struct Unusable: Error {
    let problems: [ConfigurationProblem]
}

/// A configuration as the daemon reads it, with everything that was found.
func read(_ text: String) -> (configuration: DKIMConfiguration, problems: [ConfigurationProblem]) {
    let reader = ConfigurationReader(
        schema: SignetDKIM.description.schema, text: text, named: "dkim.conf")
    return (DKIMConfiguration(reading: reader), reader.problems)
}

/// The errors in a configuration, each on its line.
func errors(_ text: String) -> [String] {
    read(text).problems.filter { $0.severity == .error }.map(\.description)
}

/// Messages that pass through one session of signet-dkim, as an MTA would hand them over, without a process or a socket.
struct Exchange {
    /// The configuration's text.
    var configuration = ""
    /// The DNS.
    var zone: any DNSResolver
    /// The SMTP client: a stranger.
    var peer = MilterClient(
        hostName: "client.example.net", family: .ipv4, address: IPAddress("192.0.2.1"), port: 40_000
    )
    /// The macros that come with the connection.
    var connectMacros = ["j": "mx.example.org", "daemon_name": "smtpd"]
    /// The macros that come with MAIL.
    var mailMacros: [String: String] = [:]
    /// RCPT TO.
    var recipients = ["<bob@example.net>"]
    /// The queue id.
    var queueID: String? = "4XyZ"
    /// How much is logged.
    var level = Log.Level.debug
    /// What is kept.
    var observer = Observer.silent
    /// The edits that the MTA allows.
    var edits: MilterEdits = [.addHeaders, .changeHeaders, .quarantine]

    init(_ configuration: String = "", zone: (any DNSResolver)? = nil) throws {
        self.configuration = configuration
        self.zone = try zone ?? Keys.shared.get().zone()
    }

    /// What is known of the DNS.
    func session(_ lines: Lines) throws -> DKIMSession {
        let (settings, problems) = read(configuration)
        guard !problems.hasErrors else { throw Unusable(problems: problems) }
        let log = Log(level: level, collecting: { _, line in lines.add(line) })
        let services = DKIMServices(
            configuration: Snapshot(settings), resolver: zone, log: log, observer: observer)
        return DKIMFilter(services: services).makeSession(
            protocol: NegotiatedProtocol(edits: edits))
    }

    /// Passes one message through a session of its own.
    func pass(_ message: MailMessage = .plain) throws -> Passage {
        let lines = Lines()
        let session = try session(lines)
        connect(session)
        let verdict = deliver(message, session)
        session.close()
        let log = lines.all
        // What holds for every message: whose line it is, and one reason at most for not signing.
        #expect(log.allSatisfy { $0.hasPrefix("\(queueID ?? "NOQUEUE"): ") }, "\(log)")
        #expect(log.count { $0.hasSuffix("; not signed") } <= 1, "\(log)")
        return Passage(verdict, message, log: log)
    }

    func connect(_ session: DKIMSession) {
        #expect(session.connect(peer, MilterMacros(connectMacros)) == .continue)
    }

    /// Delivers a message through a session that is connected.
    func deliver(_ message: MailMessage, _ session: DKIMSession) -> MilterVerdict {
        let sender = Array("<alice@example.org>".utf8)
        var macros = connectMacros.merging(mailMacros) { $1 }
        _ = session.mail(sender.span, parameters: [], MilterMacros(macros))
        for recipient in recipients {
            _ = session.recipient(
                Array(recipient.utf8).span, parameters: [], MilterMacros(macros))
        }
        macros["i"] = queueID
        for field in message.fields {
            let name = Array(field.name.utf8)
            _ = session.header(name: name.span, value: field.value.span)
        }
        _ = session.endOfHeader(MilterMacros(macros))
        // In two pieces, as no boundary may matter.
        let half = message.body.count / 2
        _ = session.body(Array(message.body[..<half]).span)
        _ = session.body(Array(message.body[half...]).span)
        return session.endOfMessage(MilterMacros(macros))
    }
}

extension Passage {
    /// The signatures' tags, from the top, without white space.
    var signatures: [[String: String]] {
        message.values("DKIM-Signature").map { value in
            var tags: [String: String] = [:]
            for tag in value.filter({ !$0.isWhitespace }).split(separator: ";") {
                let parts = tag.split(separator: "=", maxSplits: 1)
                tags[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
            }
            return tags
        }
    }

    /// The names of the fields that the first signature covers, in lower case.
    var signedNames: [String] {
        (signatures.first?["h"] ?? "").lowercased().split(separator: ":").map(String.init)
    }

    /// The code and enhanced code of a refusal.
    var refusal: String? {
        guard case .reply(let reply) = verdict.reply else { return nil }
        return "\(reply.code) \(reply.enhancedCode ?? "")"
    }
}

extension MailMessage {
    /// A message of example.org.
    static let plain = MailMessage(
        """
        From: Alice <alice@example.org>
        To: Bob <bob@example.net>
        Subject: Hello
        Date: Sat, 21 Nov 2026 08:00:00 +0000
        Message-ID: <1@example.org>

        Hello, Bob.

        """)

    /// The message with other or more fields: those of a name that it has take their place.
    func with(_ fields: (String, String)...) -> MailMessage {
        var message = self
        for (name, _) in fields {
            message.fields.removeAll { $0.name.lowercased() == name.lowercased() }
        }
        message.fields += fields.map { MailMessage.Field($0, " " + $1) }
        return message
    }

    /// The message with fields on top of it.
    func adding(_ fields: (String, String)...) -> MailMessage {
        var message = self
        message.fields = fields.map { MailMessage.Field($0, " " + $1) } + message.fields
        return message
    }

    /// The message without the fields of a name.
    func without(_ name: String) -> MailMessage {
        var message = self
        message.fields.removeAll { $0.name.lowercased() == name.lowercased() }
        return message
    }

    /// The message signed by example.org.
    func signed(
        _ directives: String? = nil, _ change: (inout Exchange) -> Void = { _ in }
    ) throws -> MailMessage {
        let passage = try pass(
            ours(try Keys.shared.get().single + (directives ?? "")), self, change)
        try #require(!passage.signatures.isEmpty, "\(passage.log)")
        return passage.message
    }
}

/// A configuration in which the tests' client is ours.
func ours(_ text: String) -> String { "InternalHosts 192.0.2.0/24\n" + text }

/// Passes one message through a session with a configuration.
func pass(
    _ configuration: String, _ message: MailMessage = .plain,
    _ change: (inout Exchange) -> Void = { _ in }
) throws -> Passage {
    var exchange = try Exchange(configuration)
    change(&exchange)
    return try exchange.pass(message)
}
