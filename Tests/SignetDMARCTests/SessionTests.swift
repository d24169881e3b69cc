import DaemonKit
import MailAuth
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// One message at a time through the session: results, skips, removals, log lines.
@Suite struct SessionTests {
    @Test func `one field carries all results`() throws {
        let passage = try Exchange().pass(.from("x@evil.example"))
        let methods = try passage.methods()
        #expect(methods["spf"]?.result == "pass")
        #expect(methods["spf"]?["smtp", "mailfrom"] == "evil.example")
        #expect(methods["dkim"]?.result == "none")
        #expect(methods["arc"]?.result == "none")
        #expect(methods["dmarc"]?.result == "pass")
        #expect(methods["dmarc"]?["header", "from"] == "evil.example")
        #expect(methods["iprev"] == nil)
        #expect(passage.logs("4XyZ: evil.example pass"))
    }

    @Test func `a null sender is checked by its HELO name`() throws {
        let exchange = Exchange(helo: "evil.example", sender: "<>")
        let methods = try exchange.pass(.from("x@evil.example")).methods()
        #expect(methods["spf"]?["smtp", "helo"] == "evil.example")
        #expect(methods["dmarc"]?.result == "pass")
    }

    @Test func `the reason is in the field and in the log`() throws {
        let passage = try Exchange().pass(.from("ceo@victim.example"))
        let reason = "SPF passed for evil.example, which is not aligned with victim.example"
        #expect(try passage.methods()["dmarc"]?.comment?.contains(reason) == true)
        #expect(passage.logs("; SPF(mailfrom): evil.example pass"))
        #expect(passage.logs("4XyZ: victim.example fail"))
        #expect(passage.logs(reason))
    }

    @Test func `fields that claim to be ours go, those of others stay`() throws {
        let message = MailMessage.from(
            "x@evil.example", ("Authentication-Results", "mx.example.org; dkim=pass"),
            ("Authentication-Results", "other.example; dkim=pass"),
            ("Authentication-Results", "MX.example.ORG/4711 1; dmarc=pass"))
        let passage = try Exchange().pass(message)
        _ = try passage.methods()
        #expect(passage.results.count == 2)
        #expect(passage.results.last == "other.example; dkim=pass")
    }

    /// RFC 8601, section 5: "an MTA MUST remove such a header field if the SMTP connection relaying the message is not from a
    /// trusted internal MTA".
    @Test func `fields of a version that nobody knows go, whoever claims them`() throws {
        let message = MailMessage.from(
            "x@evil.example", ("Authentication-Results", "other.example 2; dkim=pass"),
            ("Authentication-Results", "other.example 1; dkim=pass"))
        let passage = try Exchange().pass(message)
        _ = try passage.methods()
        #expect(passage.results.dropFirst() == ["other.example 1; dkim=pass"])
        let login = try Exchange(mechanism: "PLAIN").pass(message)
        #expect(login.results == ["other.example 1; dkim=pass"])
    }

    @Test(arguments: [nil, ""])
    func `results stand under this host's name where the MTA does not tell its own`(
        _ name: String?
    ) throws {
        var exchange = Exchange()
        exchange.mtaName = name
        let host = try #require(HostName.current)
        let message = MailMessage.from(
            "x@evil.example", ("Authentication-Results", "\(host); dmarc=pass"))
        let results = try exchange.pass(message).results
        #expect(results.count == 1 && results.first?.hasPrefix("\(host); spf=pass") == true)
    }

    @Test func `some mail is left alone, and the log says why`() throws {
        let forged = MailMessage.from(
            "ceo@victim.example", ("Authentication-Results", "mx.example.org; dmarc=pass"))
        var exchange = Exchange(mechanism: "PLAIN")
        // A login is no licence to speak in our name.
        var passage = try exchange.pass(forged)
        #expect(passage.verdict.reply == .continue)
        #expect(passage.results.isEmpty)
        #expect(passage.logs("ignoring authenticated client mail.evil.example [203.0.113.66]"))
        exchange.configuration = "IgnoreAuthenticatedClients no"
        #expect(try exchange.pass(forged).methods()["dmarc"]?.result == "fail")

        exchange = Exchange(address: "127.0.0.1", hostName: "localhost")
        passage = try exchange.pass(forged)
        #expect(passage.verdict == .continue)
        #expect(passage.results.count == 1)
        #expect(passage.logs("ignoring connection from localhost [127.0.0.1]"))
        // A relay passes on what strangers wrote.
        passage = try Exchange(configuration: "IgnoreHosts 203.0.113.66").pass(forged)
        #expect(passage.results.isEmpty)
        #expect(passage.logs("ignoring connection from"))
        exchange.configuration = "IgnoreHosts 192.0.2.0/24"
        #expect(try exchange.pass(forged).methods()["dmarc"]?.result == "fail")

        // Anybody can write a From field: what claims to be ours goes all the same.
        passage = try Exchange(configuration: "IgnoreMailFrom victim.example").pass(forged)
        #expect(passage.results.isEmpty)
        #expect(passage.logs("ignoring mail from victim.example"))
    }

    /// What a key's "t=y" changes: nothing.
    ///
    /// RFC 9989, section 4.4.1: "If the cryptographic signature validates, then the DKIM Signing Domain is the DKIM-Authenticated
    /// Identifier."
    @Test func `a valid signature of a domain that tests DKIM counts, and the field says so`()
        throws
    {
        let tester = try Sealer("victim.example", recordTags: "t=y;")
        var exchange = Exchange()
        exchange.zone += "\n" + tester.record
        let methods = try exchange.pass(try tester.sign(.from("a@victim.example"))).methods()
        #expect(methods["dkim"]?.result == "pass")
        #expect(methods["dkim"]?.comment?.contains("testing") == true)
        #expect(methods["dmarc"]?.result == "pass")
    }

    @Test func `results of a trusted host are taken where ours are turned off`() throws {
        let message = MailMessage.from(
            "ceo@victim.example",
            (
                "Authentication-Results",
                "filter.example.org; dkim=pass header.d=victim.example header.s=s header.b=abcdefgh"
            ))
        let trusting = "TrustedAuthservIDs filter.example.org\n"
        #expect(
            try Exchange(configuration: trusting).pass(message).methods()["dmarc"]?.result == "fail"
        )
        let passage = try Exchange(configuration: trusting + "DKIMSelfValidate no").pass(message)
        #expect(try passage.methods()["dmarc"]?.result == "pass")
        #expect(try passage.methods()["dkim"]?["header", "d"] == "victim.example")
        let stranger = "TrustedAuthservIDs other.example.org\nDKIMSelfValidate no"
        #expect(
            try Exchange(configuration: stranger).pass(message).methods()["dmarc"]?.result == "fail"
        )
    }

    @Test func `a trusted field of our own name is read before it goes`() throws {
        let message = MailMessage.from(
            "ceo@victim.example",
            ("Authentication-Results", "mx.example.org; dkim=pass header.d=victim.example"))
        let passage = try Exchange(
            configuration: "TrustedAuthservIDs mx.example.org\nDKIMSelfValidate no"
        ).pass(message)
        #expect(try passage.methods()["dmarc"]?.result == "pass")
    }

    @Test func `SPF of a trusted host counts for this sender only`() throws {
        let trusting = "TrustedAuthservIDs filter.example.org\nSPFSelfValidate no\n"
        func dmarc(_ results: String, _ directives: String = "") throws -> String? {
            try Exchange(configuration: trusting + directives, sender: "<ceo@victim.example>").pass(
                .from("ceo@victim.example", ("Authentication-Results", results))
            ).methods()["dmarc"]?.result
        }
        let pass = "filter.example.org; spf=pass smtp.mailfrom=victim.example"
        #expect(try dmarc(pass) == "pass")
        #expect(try dmarc(pass, "SPFIgnoreResults yes") == "fail")
        #expect(try dmarc("filter.example.org; spf=pass smtp.helo=victim.example") == "fail")
        #expect(try dmarc("filter.example.org 2; spf=pass smtp.mailfrom=victim.example") == "fail")
    }

    @Test func `many authors, and a huge header, have an end`() throws {
        let authors = (0..<1000).map { "a@d\($0).example" }.joined(separator: ", ")
        #expect(try Exchange().pass(.from(authors)).methods()["dmarc"]?.result == "permerror")
        let lines = String(repeating: "x", count: 4000)
        var message = MailMessage.from("x@evil.example")
        for index in 0..<20 { message.fields.append(.init("X-\(index)", " " + lines)) }
        let passage = try Exchange(configuration: "MaximumHeaders 65536").pass(message)
        #expect(passage.refusal?.hasPrefix("451 4.3.4") == true)
    }

    @Test func `the software field and the queue id are added where wanted`() throws {
        let passage = try Exchange(
            configuration: "SoftwareHeader yes\nAuthservIDWithJobID yes\nAuthservID a.example"
        ).pass(.from("x@evil.example"))
        #expect(passage.message.values("DMARC-Filter").count == 1)
        #expect(
            passage.results.first?.hasPrefix("a.example/4XyZ;") == true
                || passage.results.first?.hasPrefix("\"a.example/4XyZ\";") == true,
            "\(passage.results)")
    }

    @Test func `the client's name is looked up where wanted`() throws {
        var exchange = Exchange(configuration: "ReverseLookup yes")
        #expect(
            try exchange.pass(.from("x@evil.example")).methods()["iprev"]?.result == "permerror")
        exchange.zone += "\n66.113.0.203.in-addr.arpa. PTR mail.evil.example.\n"
        #expect(try exchange.pass(.from("x@evil.example")).methods()["iprev"]?.result == "fail")
        exchange.zone += "mail.evil.example. A 203.0.113.66\n"
        #expect(try exchange.pass(.from("x@evil.example")).methods()["iprev"]?.result == "pass")
    }
}
