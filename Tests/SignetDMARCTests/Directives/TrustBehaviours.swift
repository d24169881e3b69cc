import Configuration
import Foundation
import MailAuth
import TestKit
import Testing

@testable import signet_dmarc

extension Behaviours {
    private static let told = "filter.example.org; dkim=pass header.d=victim.example header.s=s"

    private static func telling(_ results: String) -> MailMessage {
        .from("ceo@victim.example", ("Authentication-Results", results))
    }

    private static let trusting = "TrustedAuthservIDs filter.example.org\n"

    /// Whose word is taken.
    static let trust: Checks = [
        "TrustedAuthservIDs": { () throws in
            let off = "DKIMSelfValidate no\n"
            #expect(try dmarc(trusting + off, telling(told)) == "pass")
            // Empty by default, and nothing by itself: only where our own evaluation is off.
            #expect(try dmarc(off, telling(told)) == "fail")
            #expect(try dmarc(trusting, telling(told)) == "fail")
            // Without regard to case, several of them, and this host's name.
            let several = "TrustedAuthservIDs other.example, FILTER.example.org\n"
            #expect(try dmarc(several + off, telling(told)) == "pass")
            let host = ProcessInfo.processInfo.hostName
            let own = telling("\(host); dkim=pass header.d=victim.example")
            let hosts = read("TrustedAuthservIDs HOSTNAME").configuration.trusted.hosts
            #expect(hosts.count == 1 && hosts.first != AuthservID("HOSTNAME"))
            if hosts == [AuthservID(host)] {
                #expect(try dmarc("TrustedAuthservIDs HOSTNAME\n" + off, own) == "pass")
            }
            // RFC 8601, section 2.6: version 1 is the one that is known, of the field and of the method.
            for (version, result) in [
                ("filter.example.org 1; dkim/1", "pass"), ("filter.example.org 2; dkim", "fail"),
                ("filter.example.org; dkim/2", "fail"),
            ] {
                let field = telling("\(version)=pass header.d=victim.example")
                #expect(try dmarc(trusting + off, field) == result, "\(version)")
            }
            // A field below does not deny what one above says.
            let shadowed = MailMessage.from(
                "ceo@victim.example",
                ("Authentication-Results", "filter.example.org; dkim=fail header.d=victim.example"),
                ("Authentication-Results", told))
            #expect(try dmarc(trusting + off, shadowed) == "fail")
        },
        "TrustedResultsFields": { () throws in
            let two = MailMessage.from(
                "ceo@victim.example", ("Authentication-Results", "filter.example.org; spf=none"),
                ("Authentication-Results", told))
            let off = trusting + "DKIMSelfValidate no\n"
            #expect(try dmarc(off, two) == "pass")
            #expect(try dmarc(off + "TrustedResultsFields topmost", two) == "fail")
        },
        "DKIMSelfValidate": {
            let sealer = try Sealer("victim.example")
            let signed = try sealer.sign(.from("ceo@victim.example"))
            let zone: (inout Exchange) -> Void = { $0.zone += "\n" + sealer.record }
            #expect(try dmarc("", signed, zone) == "pass")
            #expect(try dmarc("DKIMSelfValidate no", signed, zone) == "fail")
            let problems = read("DKIMSelfValidate no").problems
            #expect(problems.map(\.severity) == [.warning])
            #expect(
                try pass("DKIMSelfValidate no", signed, zone).methods()["dkim"]?.result == "none")
        },
        "SPFSelfValidate": {
            let told = telling("filter.example.org; spf=pass smtp.mailfrom=victim.example")
            let sender: (inout Exchange) -> Void = { $0.sender = "<ceo@victim.example>" }
            // Ours says fail, as the client is a stranger; with yes that counts, whatever a field says.
            #expect(try dmarc(trusting, told, sender) == "fail")
            let passage = try pass(trusting + "SPFSelfValidate no", told, sender)
            #expect(try passage.methods()["dmarc"]?.result == "pass")
            #expect(try passage.methods()["spf"]?.result == "pass")
            #expect(read("SPFSelfValidate no").problems.map(\.severity) == [.warning])
        },
        "SPFIgnoreResults": { () throws in
            let told = telling("filter.example.org; spf=pass smtp.mailfrom=victim.example")
            let sender: (inout Exchange) -> Void = { $0.sender = "<ceo@victim.example>" }
            let off = trusting + "SPFSelfValidate no\nSPFIgnoreResults yes"
            #expect(try pass(off, told, sender).methods()["spf"]?.result == "none")
            #expect(try dmarc(off, told, sender) == "fail")
            // "If SPFSelfValidate is also set, it [...] always performs the SPF check itself".
            let own: (inout Exchange) -> Void = {
                $0.sender = "<ceo@victim.example>"
                $0.address = "192.0.2.1"
            }
            let plain = MailMessage.from("ceo@victim.example")
            #expect(try dmarc("SPFIgnoreResults yes", plain, own) == "pass")
        },
        "DomainWhitelist": {
            let sealed = try chain()
            #expect(try sealed.disposition("") == "quarantine")
            #expect(
                try sealed.disposition("DomainWhitelist other.example, sealer.example") == "none")
            #expect(try sealed.disposition("DomainWhitelist other.example") == "quarantine")
        },
        "TrustedSealers": { () throws in
            #expect(try chain().disposition("TrustedSealers sealer.example") == "none")
        },
        "DomainWhitelistFile": {
            let folder = try TemporaryDirectory("signet-sealers")
            let path = try folder.write("# trusted\nsealer.example\n", to: "sealers")
            #expect(try chain().disposition("DomainWhitelistFile \(path)") == "none")
            #expect(read("DomainWhitelistFile \(path).absent").problems.hasErrors)
        },
    ]

    /// A failure with a chain that would make up for it.
    private struct Chain {
        let message: MailMessage
        let record: String

        func disposition(_ configuration: String) throws -> String? {
            let passage = try pass(configuration, message) { $0.zone += "\n" + record }
            let comment = try passage.methods()["dmarc"]?.comment ?? ""
            return comment.firstMatch(of: /dis=([a-z]+);/).map { String($0.1) }
        }
    }

    private static func chain() throws -> Chain {
        let sealer = try Sealer("sealer.example")
        return Chain(
            message: try sealer.seal(forged, finding: "dmarc=pass header.from=victim.example"),
            record: sealer.record)
    }
}
