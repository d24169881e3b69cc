import DaemonKit
import MailDNS
import MailSyntax
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

/// What the log says of a message: the words that postmasters' scripts look for, and one reason for mail that is not signed.
@Suite struct LogTests {
    /// Messages of ours that are not signed: the sender field, the configuration beside the keys, and the line.
    static let reasons: [(fields: [(String, String)], more: String, line: String)] = [
        ([("From", "x@example.com")], "", "example.com is not in Domain"),
        ([("From", "a@example.org, b@example.com")], "", "several domains in From"),
        ([("From", "a@example.org"), ("From", "b@example.org")], "", "2 From fields"),
        ([], "", "no From field"),
        ([("From", "nobody")], "", "From is malformed: "),
        // The field that SenderHeaders names is the one that is blamed.
        (
            [("From", "a@example.org"), ("Sender", "")], "SenderHeaders Sender\n",
            "empty Sender field"
        ),
        (
            [("From", "a@example.org"), ("Sender", "g:;")], "SenderHeaders Sender\n",
            "Sender field with an empty group only"
        ),
        (
            [("From", "a@example.org"), ("Sender", "x")], "SenderHeaders Sender\n",
            "Sender is malformed: "
        ),
        ([("From", "a@example.org")], "Mode v\n", "Mode is v"),
        ([("From", "a@example.org")], "PeerList 192.0.2.1\n", "is in PeerList"),
        ([("From", "a@example.org")], "ExemptDomains .org\n", "is in ExemptDomains"),
        ([("From", "a@example.org")], "DontSignMailTo example.net\n", "is in DontSignMailTo"),
    ]

    @Test(arguments: 0..<reasons.count)
    func `one line says why a message of ours was not signed`(_ index: Int) throws {
        let (fields, more, line) = Self.reasons[index]
        var message = MailMessage.plain.without("From")
        message.fields += fields.map { MailMessage.Field($0.0, " " + $0.1) }
        let passage = try pass(ours(more + Keys.shared.get().single), message)
        #expect(passage.signatures.isEmpty)
        let lines = passage.log.filter { $0.hasSuffix("; not signed") }
        #expect(lines.count == 1 && lines[0].contains(line), "\(passage.log)")
    }

    @Test func `without any keys the reason is that`() throws {
        #expect(try pass(ours("")).log == ["4XyZ: no keys are configured; not signed"])
        // Of mail from outside there is nothing to say then.
        #expect(try pass("").log.isEmpty)
    }

    @Test func `a message from outside has its line too`() throws {
        let passage = try pass(Keys.shared.get().single, .plain.with(("From", "x@example.com")))
        #expect(
            passage.log == [
                "4XyZ: client.example.net [192.0.2.1] not internal, not authenticated; not signed"
            ])
        // Nobody expects a signature there: the line is for those who look for it.
        let usual = try pass(Keys.shared.get().single, .plain.with(("From", "x@example.com"))) {
            $0.level = .info
        }
        #expect(usual.log.isEmpty)
    }

    @Test func `a message has one line, however many signatures it has`() throws {
        var message = try MailMessage.plain.signed()
        message = try message.signed(Keys.shared.get().twins)
        let zone = try Keys.shared.get().zone()
        let passage = try pass("SyslogSuccess yes\n", message) { exchange in
            exchange.level = .info
            exchange.zone = zone
        }
        #expect(passage.log.count == 1, "\(passage.log)")
    }

    /// RFC 8601, section 2.7.1: "policy" is for a signature that is not acceptable, "permerror" for one
    /// that cannot be evaluated.
    @Test(arguments: ["a@example.org, b@example.com", "g: a@example.org, b@example.com;"])
    func `no signature counts for authors in several domains`(_ authors: String) throws {
        let path = try Keys.shared.get().rsaPath
        // No signer of ours makes one, so From is not where this one finds the sender.
        let signed = try MailMessage.plain.with(("From", authors), ("Sender", "a@example.org"))
            .signed("SenderHeaders Sender\nKeyFile \(path)\n")
        let passage = try pass("", signed)
        #expect(passage.results.count == 1)
        #expect(passage.results[0].contains("dkim=policy"), "\(passage.results)")
        #expect(
            passage.log == [
                "4XyZ: DKIM verification failed (s=mail, d=example.org): "
                    + "From has authors in several domains"
            ])
        let one = try MailMessage.plain.with(("From", "a@example.org, b@example.org")).signed()
        #expect(try pass("", one).results[0].contains("dkim=pass"))
    }

    @Test func `a message that is refused has one line, which says all`() throws {
        var message = try MailMessage.plain.signed()
        message.body += Array("more\r\n".utf8)
        let passage = try pass("On-BadSignature reject\nLogResults yes\n", message) {
            $0.level = .info
        }
        #expect(
            passage.log == [
                "4XyZ: rejected: DKIM verification failed (s=mail, d=example.org): "
                    + "the body was changed after signing; "
                    + "signature result (s=mail, d=example.org, a=rsa-sha256): fail"
            ])
        let unsigned = try pass("On-NoSignature reject\nSyslogSuccess yes\n") { $0.level = .info }
        #expect(unsigned.log == ["4XyZ: rejected: no signature"])
    }

    @Test func `a signature's failure is told in words`() throws {
        var message = try MailMessage.plain.signed()
        message.body += Array("more\r\n".utf8)
        #expect(
            try pass("", message).log == [
                "4XyZ: DKIM verification failed (s=mail, d=example.org): "
                    + "the body was changed after signing"
            ])
        let signed = try MailMessage.plain.signed()
        let missing = try pass("", signed) { $0.zone = ZoneResolver() }
        #expect(missing.logs("4XyZ: key retrieval failed (s=mail, d=example.org): "))
        let unnamed = try pass("", message) { $0.queueID = nil }
        #expect(unnamed.logs("NOQUEUE: DKIM verification failed"))
    }
}
