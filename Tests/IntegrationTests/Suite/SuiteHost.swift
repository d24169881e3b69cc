import Foundation
import Glibc
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import TestKit
import Threads

/// One mail host with all of Signet on stock Postfix and Dovecot, set up as README and the packages say, and the world outside it.
///
/// Users submit through Dovecot to a Postfix listener of its own (packaging/examples/scrub/dovecot-untrusted): signet-scrub, then
/// signet-dkim. Mail from outside meets signet-spf, signet-dkim and signet-dmarc, and ends in Dovecot's mailboxes.
final class SuiteHost {
    /// How Postfix treats its milters and the policy server.
    struct Treatment: Sendable, CustomStringConvertible {
        /// `milter_default_action`.
        var defaultAction = "tempfail"
        /// `milter_protocol`.
        var version = 6
        /// Lines for dmarc.conf in the place of those that are shipped.
        var rejectsFailures = false

        var description: String { "milter_protocol \(version), \(defaultAction)" }
    }

    /// The host's name, and the identifier of its Authentication-Results.
    static let name = "mx.example.org"
    /// The user, and the password.
    static let user = "ann@example.org"
    static let password = "secret"

    let keys: SigningKeys
    let sink: SMTPSink
    let postfix: PostfixInstance
    let dovecot: DovecotInstance
    let scrub: SuiteDaemon
    let dkim: SuiteDaemon
    let dmarc: SuiteDaemon
    let spf: SuiteDaemon
    private let nameServer: NSDServer
    private let storage: TemporaryDirectory

    /// The key of friend.example, which signs what it sends.
    let friendKey: PrivateKey

    /// In the order in which a message meets them.
    var daemons: [SuiteDaemon] { [scrub, spf, dkim, dmarc] }

    /// Starts everything.
    init(_ treatment: Treatment = Treatment()) throws {
        keys = try SigningKeys(domain: "example.org", owner: "nobody")
        friendKey = try PrivateKey.generateEd25519()
        let record = Base64.encode(friendKey.publicKey.recordOctets)
        nameServer = try NSDServer(
            keys.zone + """
                friend.example. IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
                _dmarc.friend.example. IN TXT "v=DMARC1; p=reject"
                s._domainkey.friend.example. IN TXT "v=DKIM1; k=ed25519; p=\(record)"
                forger.example. IN TXT "v=spf1 ip4:203.0.113.0/24 -all"
                """)
        let sink = try SMTPSink()
        self.sink = sink
        let postfix = try PostfixInstance(Self.configuration(treatment, relayPort: sink.port))
        self.postfix = postfix

        storage = try TemporaryDirectory("signet-suite")
        let reports = try storage.makeDirectory("reports", mode: 0o700, owner: "nobody")
        let resolver = "Nameservers \(nameServer.nameserver)\n"
        func daemon(_ name: String, _ lines: String, _ shipped: String) throws -> SuiteDaemon {
            try SuiteDaemon(
                name, path: postfix.socketPath(name),
                configuration: "\(shipped)\nUserID nobody\n\(lines)")
        }
        scrub = try daemon("scrub", "MTA SUBMISSION\n", Self.shipped("scrub"))
        dkim = try daemon("dkim", keys.directives + resolver, Self.shipped("dkim"))
        dmarc = try daemon(
            "dmarc", "ReportStore \(reports)/reports.db\n" + resolver,
            Self.shipped("dmarc").replacing(
                "RejectFailures             no",
                with: "RejectFailures \(treatment.rejectsFailures ? "yes" : "no")"))
        spf = try daemon("spf", resolver, Self.shipped("spf"))
        try postfix.start()
        let (queue, relay) = (postfix.queueDirectory, try postfix.port(Self.relay))
        dovecot = try DovecotInstance {
            $0.users = [Self.user: Self.password]
            $0.submissionRelayPort = relay
            $0.extra = """
                service lmtp {
                  unix_listener \(queue)/private/dovecot-lmtp {
                    mode = 0600
                    user = postfix
                    group = postfix
                  }
                }

                """
        }
    }

    /// The listener behind Dovecot.
    private static let relay = "127.0.0.1:10587"

    /// README's lines for main.cf, and the example's for master.cf.
    private static func configuration(
        _ treatment: Treatment, relayPort: UInt16
    ) -> PostfixConfiguration {
        var configuration = PostfixConfiguration()
        configuration.hostName = name
        configuration.relayPort = relayPort
        ScrubTopology(name: "dovecot-untrusted").apply(to: &configuration, withSignet: true)
        let accepts = treatment.defaultAction == "accept"
        let ours = [
            "smtpd_recipient_restrictions":
                "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, "
                + "check_policy_service unix:signet/spf.sock",
            "smtpd_milters": "unix:signet/dkim.sock, unix:signet/dmarc.sock",
            "non_smtpd_milters": "unix:signet/dkim.sock",
            "milter_default_action": treatment.defaultAction,
            "milter_protocol": "\(treatment.version)",
            "smtpd_policy_service_default_action": accepts ? "DUNNO" : "451 4.3.5 Later",
            "smtpd_policy_service_retry_delay": "1s",
            "virtual_mailbox_domains": "example.org",
            "virtual_transport": "lmtp:unix:private/dovecot-lmtp",
            "relay_domains": "",
        ]
        configuration.settings.merge(ours) { $1 }
        return configuration
    }

    /// A configuration as the packages install it.
    private static func shipped(_ name: String) -> String {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("packaging/conf/\(name).conf")
        return (try? String(contentsOf: folder, encoding: .utf8)) ?? ""
    }

    // MARK: Mail

    /// Submits a message as a user does; returns the answer to its end, or the first refusal.
    func submit(_ message: [UInt8], to recipient: String = "bob@example.com") throws -> SMTPReply {
        let client = try dovecot.connectSubmission()
        guard client.greeting.isPositive else { return client.greeting }
        try client.ehlo("laptop.lan")
        let login = Base64.encode(Array("\0\(Self.user)\0\(Self.password)".utf8))
        let answer = try client.command("AUTH PLAIN \(login)")
        guard answer.isPositive else { return answer }
        let reply = try client.deliver(from: Self.user, to: [recipient], message)
        try? client.quit()
        return reply
    }

    /// Delivers a message from a host outside; returns the answer to its end, or the first refusal.
    func deliver(_ message: [UInt8], from sender: String, at address: String) throws -> SMTPReply {
        let client = try postfix.connect()
        guard client.greeting.isPositive else { return client.greeting }
        for command in [
            "EHLO there", "XCLIENT ADDR=\(address) NAME=[UNAVAILABLE]",
            "EHLO out.\(sender.split(separator: "@").last ?? "")",
        ] {
            let answer = try client.command(command)
            guard answer.isPositive else { return answer }
        }
        let reply = try client.deliver(from: sender, to: [Self.user], message)
        try? client.quit()
        return reply
    }

    /// What is in the user's mailbox.
    func mailbox() throws -> [SMTPSink.Message] {
        let client = try IMAPClient(
            port: dovecot.imapPort, user: Self.user, password: Self.password)
        return try client.messages().map { SMTPSink.Message(bytes: $0) }
    }

    /// Waits until so many messages are in the user's mailbox, and returns them.
    func waitForMailbox(_ count: Int, seconds: Double = 30) throws -> [SMTPSink.Message] {
        try wait(
            for: "\(count) messages in the mailbox\n\(postfix.log.suffix(2000))", seconds: seconds
        ) {
            let messages = try mailbox()
            return messages.count >= count ? messages : nil
        }
    }

    /// The tokens of the messages that Postfix has put on hold.
    func held() throws -> [String] {
        try postfix.queue().filter { $0.queueName == "hold" }.map { message in
            let header = try Command.require(
                "postcat", ["-c", postfix.configurationDirectory, "-h", "-q", message.queueID])
            let bytes = Array("\(header)\n\n".replacing("\n", with: "\r\n").utf8)
            return SuiteMail.token(of: SMTPSink.Message(bytes: bytes))
        }
    }

    /// A message with the signature of friend.example.
    func signed(_ message: [UInt8]) throws -> [UInt8] {
        let file = try MessageFile(contents: message)
        var signer = DKIMSigner(
            header: file.header,
            keys: [
                SigningKey(
                    domain: try DomainName("friend.example"), selector: try DomainName("s"),
                    key: friendKey)
            ], recipe: SigningRecipe(), time: Int64(time(nil)))
        signer.update(file.body.span)
        let value = try signer.finish()[0].value.flatMap { $0 == 10 ? [13, 10] : [$0] }
        return Array("DKIM-Signature:".utf8) + value + [13, 10] + message
    }

    /// How many signatures of a message are good, by our own verifier.
    func goodSignatures(_ message: SMTPSink.Message) throws -> Int {
        let file = try MessageFile(contents: message.bytes)
        let records = try ZoneResolver(parsing: keys.zone)
        var verifier = DKIMVerifier(
            header: file.header, authorDomains: AuthorField(of: file.header).domains,
            now: Int64(time(nil)))
        for question in verifier.questions {
            verifier.answer(question, records.resolve(question, deadline: .now() + 1))
        }
        verifier.update(file.body.span)
        return verifier.finish(keys: ParsedKeyCache()).results.count { $0.status == .pass }
    }

    /// What SQLite says of the store of evaluations.
    func reportStoreIntegrity() throws -> String {
        try Command.require(
            "sqlite3", [storage.file("reports/reports.db"), "PRAGMA integrity_check"])
    }
}
