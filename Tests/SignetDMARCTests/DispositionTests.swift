import Configuration
import MailAuth
import MailDNS
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// What is done with mail that fails, by policy and configuration.
@Suite struct DispositionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let author: String
        let configuration: String
        let fields: [String]
        let expected: String

        init(_ author: String, _ configuration: String, _ expected: String, fields: [String] = []) {
            self.author = author
            self.configuration = configuration
            self.expected = expected
            self.fields = fields
        }

        var testDescription: String { "\(author), \(configuration): \(expected)" }
    }

    static let cases = [
        // RFC 9989, section 7.4: not rejected for the policy alone.
        Case("victim.example", "", "quarantine"),
        Case("quarantine.example", "", "quarantine"),
        Case("none.example", "", "none"),
        // "t=y" asks for one level less.
        Case("testing.example", "", "quarantine"),
        Case("testing.example", "RejectFailures yes", "quarantine"),
        Case("victim.example", "HoldQuarantinedMessages yes", "hold"),
        Case("quarantine.example", "HoldQuarantinedMessages yes", "hold"),
        Case("none.example", "HoldQuarantinedMessages yes", "none"),
        Case("victim.example", "RejectFailures yes", "reject"),
        Case("quarantine.example", "RejectFailures yes", "quarantine"),
        Case("none.example", "RejectFailures yes", "none"),
        // Ways around.
        Case("victim.example", "RejectFailures yes", "quarantine", fields: ["List-Id"]),
        Case("victim.example", "RejectFailures yes", "quarantine", fields: ["List-Post"]),
        Case("victim.example", "RejectFailures yes\nExemptLists no", "reject", fields: ["List-Id"]),
        Case("victim.example", "RejectFailures yes\nExemptHosts 203.0.113.0/24", "none"),
        Case("victim.example", "RejectFailures yes\nExemptHosts 198.51.100.1", "reject"),
        Case("victim.example", "RejectFailures yes\nExemptDomains victim.example", "none"),
        Case(
            "quarantine.example", "HoldQuarantinedMessages yes\nExemptHosts mail.evil.example",
            "none"),
    ]

    @Test(arguments: cases) func `the disposition fits`(_ one: Case) throws {
        var message = MailMessage.from("ceo@\(one.author)")
        for name in one.fields { message.fields.append(.init(name, " <list.example>")) }
        let passage = try Exchange(configuration: one.configuration).pass(message)
        guard one.expected != "reject" else {
            #expect(
                passage.refusal
                    == "550 5.7.26 rejected by DMARC policy for \(one.author) (p=reject)"
            )
            return
        }
        let dmarc = try #require(try passage.methods()["dmarc"])
        #expect(dmarc.result == "fail")
        let disposition = one.expected == "hold" ? "quarantine" : one.expected
        #expect(dmarc.comment?.contains("dis=\(disposition);") == true, "\(passage.results)")
        #expect((passage.quarantine != nil) == (one.expected == "hold"))
    }

    @Test func `one author lends no exemption to another`() throws {
        let configuration = "RejectFailures yes\nExemptDomains victim.example"
        let both = MailMessage.from("a@victim.example, b@victim.co.suffix")
        #expect(
            try Exchange(configuration: configuration).pass(both).refusal?.hasPrefix("550") == true)
    }

    @Test func `every way around has its reason in the log`() throws {
        let list = MailMessage.from("ceo@victim.example", ("List-Id", "<l.example>"))
        #expect(
            try Exchange(configuration: "RejectFailures yes").pass(list).logs("mailing_list: "))
        let plain = MailMessage.from("ceo@victim.example")
        #expect(try Exchange().pass(plain).logs("local_policy: RejectFailures is off"))
        #expect(
            try Exchange(configuration: "RejectFailures yes\nExemptHosts 203.0.113.66").pass(plain)
                .logs("trusted_forwarder: mail.evil.example [203.0.113.66] is in ExemptHosts"))
        #expect(
            try Exchange().pass(.from("ceo@testing.example")).logs("policy_test_mode: t=y"))
    }

    /// RFC 9989, section 4.10.1: what is done where the policy could not be found is the receiver's choice.
    @Test(arguments: [
        ("", "quarantine"), ("HoldQuarantinedMessages yes", "hold"),
        ("OnEvaluationTimeout quarantine", "quarantine"),
        ("ExemptHosts 203.0.113.66", "none"), ("ExemptDomains victim.example", "none"),
        ("RejectFailures yes", "defer"),
        ("RejectFailures yes\nOnEvaluationTimeout quarantine", "quarantine"),
        ("RejectFailures yes\nExemptHosts 203.0.113.66", "none"),
    ])
    func `mail whose policy is not found is marked, or deferred`(
        _ configuration: String, _ expected: String
    ) throws {
        let exchange = Exchange(
            configuration: configuration, failing: ["_dmarc.victim.example"])
        let passage = try exchange.pass(.from("ceo@victim.example"))
        #expect(passage.refusal?.hasPrefix("451 4.7.1") == (expected == "defer" ? true : nil))
        guard expected != "defer" else { return }
        let dmarc = try #require(try passage.methods()["dmarc"])
        #expect(dmarc.result == "temperror")
        let disposition = expected == "hold" ? "quarantine" : expected
        #expect(dmarc.comment?.contains("dis=\(disposition);") == true, "\(passage.results)")
        #expect((passage.quarantine != nil) == (expected == "hold"))
    }

    /// RFC 9989, section 5.4: a policy of p=none changes no handling, so neither does an answer that it lacks.
    @Test(arguments: ["", "RejectFailures yes", "RejectFailures yes\nHoldQuarantinedMessages yes"])
    func `mail of p=none goes on where SPF has no answer`(_ configuration: String) throws {
        var exchange = Exchange(
            configuration: configuration, failing: ["none.example", "victim.example"])
        exchange.sender = "<ceo@none.example>"
        let passage = try exchange.pass(.from("ceo@none.example"))
        #expect(passage.refusal == nil && passage.quarantine == nil)
        let dmarc = try #require(try passage.methods()["dmarc"])
        #expect(dmarc.result == "temperror")
        #expect(dmarc.comment?.contains("dis=none;") == true, "\(passage.results)")
        // One that asks for something waits.
        exchange.sender = "<ceo@victim.example>"
        #expect(try exchange.pass(.from("ceo@victim.example")).refusal?.hasPrefix("451") == true)
    }

    /// What this host could not ask is asked again; while it has no server at all, only those who reject wait.
    @Test(arguments: [
        (DNSFailure.serverFailure(responseCode: 2), "quarantine"), (.malformed, "quarantine"),
        (.bogus(reason: "expired"), "quarantine"), (.resolver("too many questions"), "defer"),
        (.noServer, "none"),
    ])
    func `why the policy is not found decides what mail without one gets`(
        _ failure: DNSFailure, _ expected: String
    ) throws {
        var exchange = Exchange(failing: ["_dmarc.victim.example"])
        exchange.failure = failure
        let passage = try exchange.pass(.from("ceo@victim.example"))
        #expect((passage.refusal?.hasPrefix("451 4.7.1") == true) == (expected == "defer"))
        if expected != "defer" {
            let comment = try passage.methods()["dmarc"]?.comment
            #expect(comment?.contains("dis=\(expected);") == true, "\(passage.results)")
        }
        exchange.configuration = "RejectFailures yes"
        let rejecting = try exchange.pass(.from("ceo@victim.example"))
        #expect(rejecting.refusal?.hasPrefix("451 4.7.1") == true)
    }

    @Test func `the words of a rejection are the administrator's`() throws {
        let configuration = "RejectFailures yes\nRejectString go away, %s, please"
        let passage = try Exchange(configuration: configuration).pass(.from("ceo@victim.example"))
        #expect(passage.refusal == "550 5.7.26 go away, victim.example, please (p=reject)")
        for bad in ["no domain", "%s and %s", "%d for %s"] {
            #expect(read("RejectString \(bad)").problems.hasErrors, "\(bad)")
        }
    }

    @Test func `an MTA that cannot hold mail is asked to have it deferred`() throws {
        let exchange = Exchange(
            configuration: "HoldQuarantinedMessages yes", edits: [.addHeaders, .changeHeaders])
        let passage = try exchange.pass(.from("ceo@victim.example"))
        #expect(passage.refusal?.hasPrefix("451 4.7.1") == true)
    }

    @Test func `failures are copied to one who is not yet among the recipients`() throws {
        var exchange = Exchange(configuration: "CopyFailuresTo dmarc@example.org")
        let passage = try exchange.pass(.from("ceo@victim.example"))
        #expect(passage.verdict.edits.contains(.addRecipient("<dmarc@example.org>")))
        #expect(
            !(try exchange.pass(.from("x@evil.example")).verdict.edits.contains(
                .addRecipient("<dmarc@example.org>"))))
        exchange.recipients = ["<dmarc@example.org>"]
        #expect(
            !(try exchange.pass(.from("ceo@victim.example")).verdict.edits.contains(
                .addRecipient("<dmarc@example.org>"))))
    }
}
