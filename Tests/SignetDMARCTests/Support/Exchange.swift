import Configuration
import DaemonKit
import FailureReports
import MailAuth
import MailDNS
import MailSyntax
import Milter
import Observation
import SessionTestKit
import TestKit
import Testing
import Threads

@testable import signet_dmarc

/// A configuration as the daemon reads it, with everything that was found.
func read(_ text: String) -> (configuration: DMARCConfiguration, problems: [ConfigurationProblem]) {
    let reader = ConfigurationReader(
        schema: SignetDMARC.description.schema, text: text, named: "dmarc.conf")
    return (DMARCConfiguration(reading: reader), reader.problems)
}

/// A message that passes through one session of signet-dmarc, as an MTA would hand it over, without a process or a socket.
struct Exchange {
    /// The configuration's text.
    var configuration = ""
    /// The DNS, as a zone file.
    var zone = Exchange.zone
    /// Names whose questions fail.
    var failing: [String] = []
    /// What they fail with.
    var failure = DNSFailure.timeout
    /// Names that the resolver cannot ask for, as too much is under way.
    var refused: [String] = []
    /// Names whose questions fail otherwise.
    var broken: [String: DNSFailure] = [:]
    /// Names whose questions nobody answers.
    var silent: [String] = []
    /// The client's address; nil for a Unix socket.
    var address: String? = "203.0.113.66"
    /// The client's name.
    var hostName = "mail.evil.example"
    /// HELO.
    var helo = "mail.evil.example"
    /// MAIL FROM.
    var sender = "<x@evil.example>"
    /// RCPT TO.
    var recipients = ["<bob@example.org>"]
    /// The SASL mechanism.
    var mechanism: String?
    /// The MTA's name for itself.
    var mtaName: String? = "mx.example.org"
    /// What is kept and counted.
    var observer = Observer.silent
    /// Whether the message ends before its header section does.
    var endsEarly = false
    /// The edits that the MTA allows.
    var edits: MilterEdits = [.addHeaders, .changeHeaders, .addRecipients, .quarantine]

    /// evil.example may send from anywhere; victim.example wants to be protected.
    static let zone = """
        evil.example. TXT "v=spf1 +all"
        mail.evil.example. TXT "v=spf1 +all"
        _dmarc.evil.example. TXT "v=DMARC1; p=none"
        victim.example. TXT "v=spf1 ip4:192.0.2.1 -all"
        victim.example. A 192.0.2.1
        mail.victim.example. A 192.0.2.1
        _dmarc.victim.example. TXT "v=DMARC1; p=reject; np=reject; rua=mailto:d@victim.example"
        _dmarc.quarantine.example. TXT "v=DMARC1; p=quarantine"
        _dmarc.none.example. TXT "v=DMARC1; p=none"
        _dmarc.testing.example. TXT "v=DMARC1; p=reject; t=y"
        _dmarc.co.suffix. TXT "v=DMARC1; p=reject; psd=y"
        evil.co.suffix. TXT "v=spf1 +all"
        victim.co.suffix. A 192.0.2.1
        _dmarc.victim.co.suffix. TXT "v=DMARC1; p=reject"
        """

    /// Passes a message through.
    ///
    /// Evaluations are recorded only where the configuration names a file; they are there when the passage has ended.
    func pass(_ message: MailMessage) throws -> Passage {
        let (settings, problems) = read(configuration)
        #expect(!problems.hasErrors, "\(problems)")
        var resolver = try ZoneResolver(parsing: zone)
        for name in failing { resolver.fail(try DomainName(name), with: failure) }
        for name in refused {
            resolver.fail(try DomainName(name), with: .resolver("too many questions are under way"))
        }
        for (name, failure) in broken { resolver.fail(try DomainName(name), with: failure) }
        let silent = try Set(silent.map { try DomainName($0) })
        let lines = Lines()
        let log = Log(level: .debug, collecting: { _, line in lines.add(line) })
        var policy = settings.records
        if !configuration.contains("ReportStore") { policy.store = nil }
        let records = Records(policy, log: log)
        let failures =
            settings.failures.isOn
            ? FailureReporter(settings.failures, by: "Signet tests") { lines.add($0) } : nil
        defer {
            records.close()
            failures?.close()
        }
        let services = DMARCServices(
            configuration: Snapshot(settings),
            resolver: PartlySilent(resolver: resolver, silent: silent), records: records,
            failures: failures, log: log, observer: observer)
        let session = DMARCFilter(services: services).makeSession(
            protocol: NegotiatedProtocol(edits: edits))
        let verdict = deliver(message, session)
        session.close()
        return Passage(verdict, message, log: lines.all)
    }

    private func deliver(_ message: MailMessage, _ session: DMARCSession) -> MilterVerdict {
        var macros: [String: String] = [:]
        macros["j"] = mtaName
        if let mechanism { macros["auth_type"] = mechanism }
        let peer = MilterClient(
            hostName: hostName, family: address == nil ? .unix : .ipv4,
            address: address.flatMap { IPAddress($0) }, port: 40_000)
        #expect(session.connect(peer, MilterMacros(macros)) == .continue)
        #expect(session.helo(Array(helo.utf8).span, MilterMacros(macros)) == .continue)
        _ = session.mail(Array(sender.utf8).span, parameters: [], MilterMacros(macros))
        for recipient in recipients {
            _ = session.recipient(
                Array(recipient.utf8).span, parameters: [], MilterMacros(macros))
        }
        macros["i"] = "4XyZ"
        for field in message.fields {
            let name = Array(field.name.utf8)
            _ = session.header(name: name.span, value: field.value.span)
        }
        if endsEarly {
            session.abort(MilterMacros(macros))
            return .continue
        }
        _ = session.endOfHeader(MilterMacros(macros))
        _ = session.body(message.body.span)
        return session.endOfMessage(MilterMacros(macros))
    }
}

/// A resolver that has no answer for some names, until the time is over.
private struct PartlySilent: DNSResolver {
    let resolver: ZoneResolver
    let silent: Set<DomainName>

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        silent.contains(question.name)
            ? PendingAnswer(deadline: deadline) : resolver.begin(question, deadline: deadline)
    }
}

extension Passage {
    /// The results of our field, which must be the only one of ours and stand on top.
    func methods() throws -> [String: MethodResult] {
        let ours = message.values("Authentication-Results").map {
            AuthenticationResults(parsing: Array($0.utf8).span)
        }.filter { $0.authservID == AuthservID("mx.example.org") }
        #expect(ours.count == 1)
        #expect(message.fields.first?.name == "Authentication-Results")
        let field = try #require(ours.first)
        #expect(field.isWellFormed)
        return Dictionary(field.results.map { ($0.method, $0) }) { first, _ in first }
    }

    /// The code and enhanced code of a refusal.
    var refusal: String? {
        guard case .reply(let reply) = verdict.reply else { return nil }
        return "\(reply.code) \(reply.enhancedCode ?? "") \(reply.lines.joined(separator: " "))"
    }
}

extension MailMessage {
    /// A message with this From field and further fields.
    static func from(_ value: String, _ fields: (String, String)...) -> MailMessage {
        var message = MailMessage(
            """
            To: Bob <bob@example.org>
            Subject: Hello
            Date: Sat, 21 Nov 2026 08:00:00 +0000
            Message-ID: <1@evil.example>

            Hello, Bob.

            """)
        message.fields.insert(MailMessage.Field("From", " " + value), at: 0)
        message.fields = fields.map { MailMessage.Field($0, " " + $1) } + message.fields
        return message
    }
}
