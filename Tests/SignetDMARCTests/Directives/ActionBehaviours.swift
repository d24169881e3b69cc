import Configuration
import Foundation
import MailAuth
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

extension Behaviours {
    private static func disposition(
        _ configuration: String, _ message: MailMessage = forged
    ) throws -> String? {
        let comment = try pass(configuration, message).methods()["dmarc"]?.comment ?? ""
        return comment.firstMatch(of: /dis=([a-z]+);/).map { String($0.1) }
    }

    private static let list = MailMessage.from(
        "ceo@victim.example", ("List-Id", "<list.evil.example>"))

    /// What the message is told.
    static let results: Checks = [
        "AuthservID": {
            #expect(try pass("").results.first?.hasPrefix("mx.example.org;") == true)
            let named = try pass(
                "AuthservID OpenDMARC",
                .from("x@evil.example", ("Authentication-Results", "opendmarc; dmarc=pass")))
            #expect(named.results.count == 1)
            #expect(named.results.first?.hasPrefix("OpenDMARC;") == true)
            let host = read("AuthservID HOSTNAME").configuration.authservID
            #expect(host != nil && host != "HOSTNAME")
        },
        "AuthservIDWithJobID": {
            let field = try pass("AuthservIDWithJobID yes").results.first ?? ""
            #expect(AuthenticationResults(parsing: Array(field.utf8).span).isWellFormed)
            #expect(field.contains("mx.example.org/4XyZ"))
        },
        "SoftwareHeader": {
            let values = try pass("SoftwareHeader yes").message.values("DMARC-Filter")
            #expect(values.count == 1)
            #expect(values.first?.hasPrefix(" Signet v") == true)
            #expect(values.first?.hasSuffix(" mx.example.org 4XyZ") == true)
            #expect(try pass("").message.values("DMARC-Filter").isEmpty)
        },
        "SyslogSuccess": { () throws in
            let good = MailMessage.from("x@evil.example")
            #expect(try pass("", good).log == ["4XyZ: evil.example pass"])
            #expect(
                try pass("SyslogSuccess yes", good).log == [
                    "4XyZ: evil.example pass; SPF(mailfrom): evil.example pass"
                ])
            // A failure is logged with its reason in any case, on one line.
            let failure = try pass("").log
            #expect(failure.count == 1)
            #expect(failure[0].hasPrefix("4XyZ: victim.example fail: SPF passed for evil.example"))
            #expect(failure[0].contains("; disposition "))
        },
    ]

    /// What happens to failures.
    static let actions: Checks = [
        "RejectFailures": {
            #expect(try disposition("") == "quarantine")
            let passage = try pass("RejectFailures yes")
            #expect(
                passage.refusal
                    == "550 5.7.26 rejected by DMARC policy for victim.example (p=reject)")
            // One line, which says all.
            #expect(passage.log.count == 1, "\(passage.log)")
            #expect(
                passage.log[0].hasPrefix(
                    "4XyZ: rejected: DMARC: victim.example fail: SPF passed for evil.example"))
            #expect(passage.logs("; disposition reject; SPF(mailfrom): evil.example pass"))
            #expect(try disposition("RejectFailures yes", .from("x@none.example")) == "none")
            // "or temp-failed if evaluation could not be completed"
            let dead: (inout Exchange) -> Void = { $0.failing = ["_dmarc.victim.example"] }
            #expect(
                try pass("RejectFailures yes", forged, dead).refusal?.hasPrefix("451 4.7.1") == true
            )
            #expect(try pass("", forged, dead).refusal == nil)
        },
        "RejectUnreadableFrom": { () throws in
            let hidden = MailMessage.from("=?utf-8?q?ceo=40victim.example?=")
            let words = "550 5.7.1 Message refused: no author domain: address without a domain"
            #expect(try pass("RejectFailures yes", hidden).refusal == words)
            #expect(try pass("RejectUnreadableFrom yes", hidden).refusal == words)
            let off = "RejectFailures yes\nRejectUnreadableFrom no"
            for configuration in ["", off] {
                #expect(try disposition(configuration, hidden) == "quarantine")
            }
            #expect(try pass("HoldQuarantinedMessages yes", hidden).quarantine != nil)
            #expect(try pass("RejectUnreadableFrom yes").refusal == nil)
            // The ways around are those of failures.
            #expect(
                try disposition("RejectFailures yes\nExemptHosts 203.0.113.66", hidden) == "none")
            var onList = hidden
            onList.fields.append(.init("List-Id", " <l.example>"))
            #expect(try disposition("RejectFailures yes", onList) == "quarantine")
        },
        "RequiredFrom": { () throws in
            // OpenDMARC's name: no From field that yields a domain is refused.
            #expect(try pass("RequiredFrom yes", .from("boss")).refusal?.hasPrefix("550") == true)
            #expect(try pass("RequiredFrom yes").refusal == nil)
        },
        "RejectString": {
            let passage = try pass("RejectFailures yes\nRejectString not for %s here")
            #expect(passage.refusal == "550 5.7.26 not for victim.example here (p=reject)")
            for bad in ["no domain", "%s and %s", "100% of %s"] {
                #expect(read("RejectString \(bad)").problems.hasErrors, "\(bad)")
            }
        },
        "HoldQuarantinedMessages": { () throws in
            #expect(
                try pass("HoldQuarantinedMessages yes").quarantine
                    == "quarantined by DMARC policy for victim.example")
            #expect(try pass("HoldQuarantinedMessages yes").logs("quarantined: DMARC: "))
            #expect(try pass("").quarantine == nil)
            // No author domain: the reason says so, and does not end in a space.
            #expect(
                try pass("HoldQuarantinedMessages yes", .from("boss")).quarantine
                    == "DMARC: no author domain: address without a domain")
            // Apart from rejecting: either is asked for by itself.
            let both = "HoldQuarantinedMessages yes\nRejectFailures yes"
            #expect(try pass(both).refusal?.hasPrefix("550") == true)
            #expect(try pass(both, .from("a@quarantine.example")).quarantine != nil)
        },
        "OnEvaluationTimeout": { () throws in
            // SPF of the author's own domain might have made it pass.
            let withheld: (inout Exchange) -> Void = {
                $0.sender = "<x@victim.example>"
                $0.failing = ["victim.example"]
            }
            let deferred = try pass("", forged, withheld).refusal
            #expect(deferred?.hasPrefix("451 4.7.1") == true)
            let marked = try pass("OnEvaluationTimeout quarantine", forged, withheld)
            #expect(marked.refusal == nil)
            #expect(try marked.methods()["dmarc"]?.result == "temperror")
            #expect(try marked.methods()["dmarc"]?.comment?.contains("dis=quarantine") == true)
            let held = "OnEvaluationTimeout quarantine\nHoldQuarantinedMessages yes"
            #expect(try pass(held, forged, withheld).quarantine != nil)
            for exemption in ["ExemptHosts 203.0.113.66", "ExemptDomains victim.example"] {
                #expect(try pass(exemption, forged, withheld).refusal == nil, "\(exemption)")
            }
            #expect(read("OnEvaluationTimeout accept").problems.hasErrors)
        },
        "ExemptLists": { () throws in
            #expect(try disposition("RejectFailures yes", list) == "quarantine")
            #expect(try pass("RejectFailures yes", list).logs("mailing_list: "))
            #expect(try pass("RejectFailures yes\nExemptLists no", list).refusal != nil)
        },
        "ExemptHosts": { () throws in
            for value in ["203.0.113.66", "203.0.113.0/24", "mail.evil.example"] {
                #expect(try disposition("RejectFailures yes\nExemptHosts \(value)") == "none")
            }
            #expect(try pass("RejectFailures yes\nExemptHosts 192.0.2.1").refusal != nil)
        },
        "ExemptDomains": { () throws in
            #expect(try disposition("RejectFailures yes\nExemptDomains victim.example") == "none")
            #expect(try disposition("ExemptDomains victim.example") == "none")
            #expect(try pass("RejectFailures yes\nExemptDomains evil.example").refusal != nil)
        },
        "CopyFailuresTo": { () throws in
            let copying = "CopyFailuresTo dmarc@example.org"
            let copy = MessageEdit.addRecipient("<dmarc@example.org>")
            #expect(try pass(copying).verdict.edits.contains(copy))
            #expect(try !pass(copying, .from("x@evil.example")).verdict.edits.contains(copy))
            #expect(
                try pass(copying, .from("x@quarantine.example")).verdict.edits.contains(copy))
            // RFC 9989, section 5.4: p=none changes nothing; nor does the level below p=quarantine.
            #expect(try !pass(copying, .from("x@none.example")).verdict.edits.contains(copy))
            // What is refused has no copy.
            #expect(try pass(copying + "\nRejectFailures yes").verdict.edits.isEmpty)
            #expect(read("CopyFailuresTo nobody").problems.hasErrors)
        },
    ]
}
