import Configuration
import DaemonKit
import MailDNS
import MailSyntax
import Milter
import MilterDaemon
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

extension Behaviours {
    /// What happens to a message, by what was found.
    static let actions: Checks = [
        "On-BadSignature": {
            try checkActions(
                "On-BadSignature", .accept, detail: "7.20", try changed(), isLasting: true)
            // RFC 6376, section 6.3: a signature that does not verify MUST NOT provoke a 4xx.
            for text in ["On-BadSignature quarantine\n", "Quarantine yes\n"] {
                let passage = try pass(text, try changed()) {
                    $0.edits.remove(.quarantine)
                }
                #expect(passage.refusal == "550 5.7.20")
            }
            #expect(try pass("On-Default tempfail\n", try changed()).refusal == "550 5.7.20")
            let waiting = try failing(.serverFailure(responseCode: 2))
            let held = try pass("On-DNSError quarantine\n", MailMessage.plain.signed()) {
                $0.zone = waiting
                $0.edits.remove(.quarantine)
            }
            #expect(held.refusal == "451 4.7.5")
            // A key that only tests makes the message one without a signature that counts.
            let zone = try Keys.shared.get().zone(tags: "t=y; ")
            let testing = try pass("On-BadSignature reject\n", try changed()) { $0.zone = zone }
            #expect(testing.refusal == nil)
            // RFC 6376, section 3.6.1: it is as no signature, not better either.
            let unsigned = "On-NoSignature reject\n"
            let broken = try pass(unsigned, try changed()) { $0.zone = zone }
            #expect(broken.refusal == "550 5.7.20")
            #expect(try pass(unsigned, try changed()).refusal == nil)
            #expect(
                try pass(unsigned, try MailMessage.plain.signed()) { $0.zone = zone }.refusal == nil
            )
            #expect(testing.results[0].contains("dkim=fail (2048-bit key; unprotected; testing)"))
            // One that passes makes up for those that do not.
            let good = try MailMessage.plain.signed().adding(("DKIM-Signature", "v=1; d=x.example"))
            #expect(try pass("On-BadSignature reject\n", good).refusal == nil)
        },
        "On-DNSError": {
            try checkActions(
                "On-DNSError", .tempfail, detail: "7.5", MailMessage.plain.signed(),
                zone: try failing(.serverFailure(responseCode: 2)))
        },
        "On-InternalError": {
            try checkActions(
                "On-InternalError", .tempfail, detail: "7.5", MailMessage.plain.signed(),
                zone: try failing(.resolver("no thread can be started")))
        },
        "On-KeyNotFound": {
            try checkActions(
                "On-KeyNotFound", .accept, detail: "7.20", MailMessage.plain.signed(),
                zone: ZoneResolver())
        },
        "On-NoSignature": {
            try checkActions(
                "On-NoSignature", .accept, detail: "7.20", .plain, isLasting: true)
        },
        "On-Security": {
            try checkActions(
                "MaximumHeaders 150\nOn-Security", .tempfail, detail: "3.4",
                MailMessage.plain.with(("X", String(repeating: "x", count: 100))))
            // What was not read can still not claim to be ours.
            let forged = MailMessage.plain.adding(
                ("Authentication-Results", "mx.example.org; dkim=pass"),
                ("X", String(repeating: "x", count: 200)),
                ("Authentication-Results", "mx.example.org; dkim=pass"))
            let text = "MaximumHeaders 200\nOn-Security accept\n"
            #expect(try pass(text, forged).results.isEmpty)
            #expect(try pass(text + "KeepAuthResults yes\n", forged).results.count == 2)
        },
        "On-SignatureError": {
            // A key file that is there and is no use, for one sender's domain.
            let keys = try Keys.shared.get()
            try keys.directory.write("no key", to: "example.org.pem", mode: 0o600)
            let text = ours(
                "SigningTable csl:*=k\nKeyTable csl:k=%:s:\(keys.directory.path)/%.pem\n")
            try checkActions(text + "On-SignatureError", .reject, detail: "7.0", .plain)
            let passage = try pass(text + "On-SignatureError accept\n")
            #expect(passage.logs("4XyZ: cannot be signed: ") && passage.logs("; not signed"))
            // A domain without a key file is no error.
            let other = try pass(text, .plain.with(("From", "a@example.com")))
            #expect(other.refusal == nil)
            #expect(
                other.log.contains(
                    "4XyZ: no key file \(keys.directory.path)/example.com.pem; not signed"))
        },
        "On-Default": { () throws in
            #expect(try pass("On-Default reject\n").refusal == "550 5.7.20")
            #expect(try pass("On-Default r\nOn-NoSignature a\n").refusal == nil)
            #expect(try pass("On-Default r\n", changed()).refusal == "550 5.7.20")
            let actions = read("On-Default discard\n").configuration.actions
            #expect(
                [
                    actions.badSignature, actions.dnsError, actions.internalError,
                    actions.keyNotFound, actions.noSignature, actions.security,
                    actions.signatureError,
                ] == Array(repeating: Actions.Action.discard, count: 7))
        },
        "CaptureUnknownErrors": {
            let zone = try failing(.resolver("no thread can be started"))
            let passage = try pass("CaptureUnknownErrors yes\n", MailMessage.plain.signed()) {
                $0.zone = zone
            }
            #expect(passage.quarantine != nil && passage.results.count == 1)
        },
        "Quarantine": {
            let passage = try pass("Quarantine yes\n", changed())
            #expect(passage.quarantine?.contains("the body was changed") == true)
            // The results stay with the message that is on hold.
            #expect(passage.results[0].contains("dkim=fail"))
            #expect(try pass("Quarantine yes\n").quarantine == nil)
            // Where the MTA knows no hold queue, trying again would not help (RFC 6376, section 6.3).
            let without = try pass("Quarantine yes\n", changed()) { $0.edits = [.addHeaders] }
            #expect(without.refusal == "550 5.7.20")
        },
    ]

    /// A signed message whose body was changed.
    private static func changed() throws -> MailMessage {
        var message = try MailMessage.plain.signed()
        message.body = Array("Bye.\r\n".utf8)
        return message
    }

    private static func failing(_ failure: DNSFailure) throws -> ZoneResolver {
        var zone = ZoneResolver()
        zone.fail(try DomainName("mail._domainkey.example.org"), with: failure)
        return zone
    }

    /// Checks every action of one directive, in full and by its letter, and the one that holds by default.
    private static func checkActions(
        _ directive: String, _ standard: Actions.Action, detail: String, _ message: MailMessage,
        zone: (any DNSResolver)? = nil, isLasting: Bool = false
    ) throws {
        let lines = directive.split(separator: "\n").map(String.init)
        let name = lines[lines.count - 1]
        let before = lines.dropLast().map { $0 + "\n" }.joined()
        for action in [Actions.Action.accept, .discard, .quarantine, .reject, .tempfail] {
            for word in [action.rawValue, String(action.rawValue.prefix(1)).uppercased(), nil] {
                if word == nil, action != standard { continue }
                let line = word.map { "\(name) \($0)\n" } ?? ""
                let passage = try pass(before + line, message) { if let zone { $0.zone = zone } }
                switch action {
                case .accept:
                    #expect(passage.verdict.reply == .continue && passage.quarantine == nil)
                case .discard:
                    #expect(passage.verdict == MilterVerdict(reply: .discard))
                    #expect(passage.logs("4XyZ: discarded: "))
                case .quarantine:
                    #expect(passage.verdict.reply == .continue)
                    #expect(passage.quarantine?.isEmpty == false)
                    #expect(passage.logs("4XyZ: quarantined: "))
                case .reject:
                    #expect(passage.refusal == "550 5.\(detail)", "\(line)")
                    #expect(passage.logs("4XyZ: rejected: "))
                case .tempfail where isLasting:
                    #expect(passage.refusal == "550 5.\(detail)", "\(line)")
                    #expect(read(line).problems.map(\.severity) == [.warning])
                case .tempfail:
                    #expect(passage.refusal == "451 4.\(detail)", "\(line)")
                    #expect(passage.logs("4XyZ: deferred: "))
                }
            }
        }
        #expect(!errors("\(name) bounce\n").isEmpty)
    }
}
