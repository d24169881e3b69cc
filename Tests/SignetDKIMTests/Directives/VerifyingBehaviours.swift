import Configuration
import DaemonKit
import DaemonResolver
import Foundation
import MailDNS
import MailEvaluation
import MailSyntax
import SessionTestKit
import TestKit
import Testing
import UnboundDNS

@testable import signet_dkim

extension Behaviours {
    /// How signatures are verified.
    static let verifying: Checks = [
        "ClockDrift": {
            let future = Int64(Date().timeIntervalSince1970) + 200
            let signed = try MailMessage.plain.signed("FixedTimestamp \(future)\n")
            #expect(try pass("", signed).results[0].contains("dkim=pass"))
            #expect(try pass("ClockDrift 100\n", signed).results[0].contains("dkim=permerror"))
            let past = try MailMessage.plain.signed(
                "FixedTimestamp \(future - 500)\nSignatureTTL 100\n")
            #expect(try pass("", past).results[0].contains("dkim=pass"))
            #expect(try pass("ClockDrift 0\n", past).results[0].contains("dkim=permerror"))
        },
        "MinimumKeyBits": {
            let signed = try MailMessage.plain.signed()
            #expect(try pass("MinimumKeyBits 2048\n", signed).results[0].contains("dkim=pass"))
            let longer = try pass("MinimumKeyBits 3072\n", signed).results[0]
            #expect(longer.contains("dkim=policy") && longer.contains("fewer than 3072"))
            // 0 asks for what RFC 8301 asks for.
            #expect(try pass("MinimumKeyBits 0\n", signed).results[0].contains("dkim=pass"))
            let less = read("MinimumKeyBits 512\n").problems
            #expect(less.map(\.severity) == [.warning] && less[0].message.contains("RFC 8301"))
        },
        "MaximumSignaturesToVerify": {
            let signed = try MailMessage.plain.signed().adding(
                (
                    "DKIM-Signature",
                    "v=1; a=rsa-sha256; d=one.example; s=x; h=from; bh=eA==; b=eA=="
                ),
                ("DKIM-Signature", "v=1; a=rsa-sha256; d=two.example; s=x; h=from; bh=eA==; b=eA==")
            )
            let all = try pass("", signed)
            #expect(all.results[0].components(separatedBy: "dkim=").count == 4)
            // The author's own signature is the one that is looked at.
            let one = try pass("MaximumSignaturesToVerify 1\n", signed)
            #expect(one.results[0].components(separatedBy: "dkim=").count == 2)
            #expect(one.results[0].contains("dkim=pass"))
            #expect(one.logs("2 more signatures were not evaluated"))
        },
        "MustBeSigned": {
            let signed = try MailMessage.plain.with(("X-Own", "1")).signed()
            #expect(try pass("MustBeSigned Subject, List-Id\n", signed).results[0].contains("pass"))
            let missing = try pass("MustBeSigned X-Own\n", signed).results[0]
            #expect(missing.contains("dkim=policy") && missing.contains("X-Own is not signed"))
        },
        "SingletonHeaders": {
            // Each field is signed once only.
            let signed = try MailMessage.plain.signed("OversignHeaders .\n")
            #expect(try pass("", signed).results[0].contains("dkim=pass"))
            let second = signed.adding(("To", "eve@example.com"))
            let found = try pass("", second).results[0]
            #expect(found.contains("dkim=policy") && found.contains("a second header field To"))
            for list in [".", "Subject", "*,-To"] {
                let passage = try pass("SingletonHeaders \(list)\n", second)
                #expect(passage.results[0].contains("dkim=pass"), "\(list)")
            }
            let other = signed.adding(("X-Other", "1"), ("X-Other", "2"))
            #expect(try pass("", other).results[0].contains("dkim=pass"))
            #expect(errors("SingletonHeaders To:\n").count == 1)
        },
        "TrustSignaturesFrom": {
            // A signature of example.org on somebody else's message.
            let text = "SigningTable csl:*=k\nKeyTable csl:k=example.org:mail:"
            let path = try Keys.shared.get().rsaPath
            let other = MailMessage.plain.with(("From", "eve@example.com"))
            let signed = try pass(ours(text + path + "\n"), other).message
            #expect(try pass("", signed).results[0].contains("dkim=pass"))
            #expect(
                try pass("TrustSignaturesFrom example.org\n", signed).results[0]
                    .contains("dkim=pass"))
            let untrusted = try pass("TrustSignaturesFrom .example.org\n", signed).results[0]
            #expect(untrusted.contains("dkim=policy"))
            // The author's own domain is always trusted.
            let own = try MailMessage.plain.signed()
            #expect(
                try pass("TrustSignaturesFrom example.net\n", own).results[0].contains("dkim=pass"))
        },
        "UnprotectedKey": {
            let signed = try MailMessage.plain.signed()
            #expect(try pass("", signed).results[0].contains("pass (2048-bit key; unprotected)"))
            #expect(
                try pass("UnprotectedKey neutral\n", signed).results[0].contains("dkim=neutral"))
            #expect(try pass("UnprotectedKey fail\n", signed).results[0].contains("dkim=fail"))
            let zone = try Keys.shared.get().zone(.secure)
            let secure = try pass("UnprotectedKey fail\n", signed) { $0.zone = zone }
            #expect(secure.results[0].contains("dkim=pass (2048-bit key; secure)"))
        },
        "BogusKey": {
            let signed = try MailMessage.plain.signed()
            var zone = ZoneResolver()
            zone.fail(
                try DomainName("mail._domainkey.example.org"), with: .bogus(reason: "expired"))
            for (word, result) in [("fail", "fail"), ("neutral", "neutral"), ("none", "temperror")]
            {
                let passage = try pass("BogusKey \(word)\nOn-DNSError accept\n", signed) {
                    [zone] in $0.zone = zone
                }
                #expect(passage.results[0].contains("dkim=\(result) "))
                #expect(passage.results[0].contains("DNSSEC validation failed"))
            }
            // By default it is a bad signature.
            let bad = try pass("On-BadSignature reject\n", signed) { [zone] in $0.zone = zone }
            #expect(bad.refusal == "550 5.7.20")
        },
        "TestPublicKeys": {
            let record = Keys.record(try Keys.shared.get().rsa)
            let directory = try TemporaryDirectory()
            let path = try directory.write(
                "mail._domainkey.example.org \(record)\n", to: "records")
            let records = try #require(read("TestPublicKeys \(path)\n").configuration.testKeys)
            let passage = try pass("", MailMessage.plain.signed()) {
                $0.zone = ZoneResolver(records: records)
            }
            #expect(passage.results[0].contains("dkim=pass"))
            let bad = try directory.write("mail._domainkey.example.org\n", to: "bad")
            #expect(errors("TestPublicKeys \(bad)\n").count == 1)
        },
        "TestDNSData": {
            let text = "TestDNSData csl:a._domainkey.example.org=v=DKIM1; p=\n"
            let records = try #require(read(text).configuration.testKeys)
            #expect(
                records == [try Keys.txt("a._domainkey.example.org", "v=DKIM1; p=")])
        },
        "LogResults": {
            let signed = try MailMessage.plain.signed()
            #expect(
                try pass("LogResults yes\n", signed).log == [
                    "4XyZ: signature result (s=mail, d=example.org, a=rsa-sha256): pass"
                ])
            #expect(try pass("", signed).log.isEmpty)
            // All of a message is in one line.
            #expect(
                try pass("LogResults yes\nSyslogSuccess yes\n", signed).log == [
                    "4XyZ: DKIM verification successful (s=mail, d=example.org); "
                        + "signature result (s=mail, d=example.org, a=rsa-sha256): pass"
                ])
        },
        "Nameservers": {
            let nameservers = read("Nameservers 192.0.2.53, [2001:db8::1]@5353\n")
                .configuration.resolver.options.nameservers
            #expect(nameservers.map(\.description) == ["192.0.2.53@53", "2001:db8::1@5353"])
            #expect(errors("Nameservers localhost\n").count == 1)
        },
        "DNSTimeout": {
            #expect(read("DNSTimeout 7\n").configuration.verification.answerSeconds == 7)
            #expect(read("").configuration.verification.answerSeconds == 5)
            #expect(errors("DNSTimeout 0\n").count == 1)
        },
        "TrustAnchorFile": {
            let directory = try TemporaryDirectory()
            let path = try directory.write(". IN DS 20326 8 2 00\n", to: "root.key")
            let settings = read("TrustAnchorFile \(path)\n").configuration.resolver
            #expect(settings.options.trustAnchorFile == path)
            #expect(
                errors("TrustAnchorFile \(path).none\n") == [
                    "dkim.conf:1:1: error: TrustAnchorFile: \(path).none cannot be read: "
                        + "No such file or directory"
                ])
        },
    ]

    /// What the message is told, and what it is told no more.
    static let results: Checks = [
        "AuthservID": {
            let signed = try MailMessage.plain.signed()
            #expect(try pass("", signed).results[0].hasPrefix("mx.example.org; dkim=pass"))
            #expect(
                try pass("AuthservID auth.example\n", signed).results[0].hasPrefix("auth.example;"))
            let host = try pass("AuthservID HOSTNAME\n", signed).results[0]
            #expect(host.hasPrefix(ProcessInfo.processInfo.hostName))
        },
        "AuthservIDWithJobID": {
            let signed = try MailMessage.plain.signed()
            let forged = signed.adding(
                ("Authentication-Results", "mx.example.org/4XyZ; dkim=pass"))
            let results = try pass("AuthservIDWithJobID yes\n", forged).results
            // "/" is no token (RFC 2045), so the name is quoted.
            #expect(results.count == 1)
            #expect(results[0].hasPrefix(#""mx.example.org/4XyZ"; dkim=pass"#))
            let without = try pass("AuthservIDWithJobID yes\n", signed) { $0.queueID = nil }
            #expect(without.results[0].hasPrefix("mx.example.org;"))
        },
        "AlwaysAddARHeader": { () throws in
            #expect(try pass("").results.isEmpty)
            #expect(
                try pass("AlwaysAddARHeader yes\n").results == ["mx.example.org; dkim=none"])
        },
        "KeepAuthResults": { () throws in
            let forged = MailMessage.plain.adding(
                ("Authentication-Results", "mx.example.org; dkim=pass"),
                ("Authentication-Results", "MX.Example.ORG (oh) ; spf=pass"),
                ("Authentication-Results", "other.example; dkim=pass"))
            #expect(try pass("", forged).results == ["other.example; dkim=pass"])
            #expect(try pass("KeepAuthResults yes\n", forged).results.count == 3)
        },
        "RemoveARFrom": { () throws in
            let message = MailMessage.plain.adding(
                ("Authentication-Results", "a.example.com/77; dkim=pass"),
                ("Authentication-Results", "a.example.com; spf=pass"),
                ("Authentication-Results", "b.sub.example.com; dkim=fail; spf=pass"),
                ("Authentication-Results", "c.example; dkim=pass"))
            #expect(
                try pass("RemoveARFrom .example.com\n", message).results == [
                    "a.example.com; spf=pass", "c.example; dkim=pass",
                ])
            #expect(try pass("RemoveARFrom a.example.com\n", message).results.count == 3)
        },
        "RemoveARAll": { () throws in
            let message = MailMessage.plain.adding(
                ("Authentication-Results", "a.example.com; spf=pass"),
                ("Authentication-Results", "c.example; spf=pass"))
            #expect(
                try pass("RemoveARFrom .example.com\nRemoveARAll yes\n", message).results
                    == ["c.example; spf=pass"])
        },
        "NoHeaderB": {
            let signed = try MailMessage.plain.signed()
            #expect(try pass("", signed).results[0].contains("header.b="))
            #expect(try !pass("NoHeaderB yes\n", signed).results[0].contains("header.b="))
        },
    ]
}
