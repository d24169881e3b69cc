import Foundation
import MailAuth
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// ARC chains through the daemon (RFC 8617): they change what happens to a failure only where the administrator trusts their
/// sealers, and what was found stays as it is.
@Suite struct TrustedChainTests {
    private static let passed =
        "spf=pass smtp.mailfrom=victim.example; dmarc=pass header.from=victim.example"

    private let first: Sealer
    private let second: Sealer
    private let message = MailMessage.from("ceo@victim.example")

    init() throws {
        first = try Sealer("sealer.example")
        second = try Sealer("relay.example")
    }

    private func pass(_ message: MailMessage, _ configuration: String) throws -> Passage {
        var exchange = Exchange(configuration: configuration)
        exchange.zone += "\n" + first.record + second.record
        return try exchange.pass(message)
    }

    private func disposition(_ passage: Passage) throws -> String? {
        let methods = try passage.methods()
        #expect(methods["dmarc"]?.result == "fail")
        let words = methods["dmarc"]?.comment?.split(separator: " ") ?? []
        return words.first { $0.hasPrefix("dis=") }?.dropFirst(4).prefix { $0 != ";" }.description
    }

    @Test func `nobody is trusted as installed`() throws {
        let passage = try pass(try first.seal(message, finding: Self.passed), "")
        #expect(try passage.methods()["arc"]?.result == "pass")
        #expect(try passage.methods()["arc"]?.comment == "sealed by i=1 sealer.example")
        #expect(try disposition(passage) == "quarantine")
        let refused = try pass(
            try first.seal(message, finding: Self.passed), "RejectFailures yes")
        #expect(refused.refusal?.hasPrefix("550 5.7.26") == true)
    }

    @Test(arguments: ["DomainWhitelist", "TrustedSealers"])
    func `a trusted sealer's word makes up for the failure, and the log and the field say so`(
        _ directive: String
    ) throws {
        // A list that has changed the subject: what the author's domain had signed no longer holds.
        let sealed = try first.seal(message, finding: Self.passed) { message in
            for index in message.fields.indices where message.fields[index].name == "Subject" {
                message.fields[index].value = Array(" [list] Hello".utf8)
            }
        }
        let configuration =
            "\(directive) sealer.example\nRejectFailures yes\nHoldQuarantinedMessages yes"
        let passage = try pass(sealed, configuration)
        #expect(try disposition(passage) == "none")
        #expect(passage.quarantine == nil)
        #expect(try passage.methods()["arc"]?.result == "pass")
        #expect(
            passage.logs(
                "disposition none; local_policy: arc=pass as[1].d=sealer.example as[1].s=s"))
    }

    @Test func `the list may be in a file`() throws {
        let folder = try TemporaryDirectory("signet-sealers")
        let path = try folder.write("# lists\nsealer.example\n", to: "sealers")
        let sealed = try first.seal(message, finding: Self.passed)
        #expect(try disposition(try pass(sealed, "DomainWhitelistFile \(path)")) == "none")
        // Both lists together (opendmarc.conf(5)).
        let both = "DomainWhitelist relay.example\nDomainWhitelistFile \(path)"
        let twice = try second.seal(sealed, finding: "dmarc=fail header.from=victim.example")
        #expect(try disposition(try pass(twice, both)) == "none")
    }

    @Test(arguments: [
        "dmarc=fail header.from=victim.example", "dmarc=pass header.from=evil.example",
        "dmarc=pass header.from=sub.victim.example", "dmarc=pass", "spf=pass; dkim=pass",
        "arc=pass; dmarc=none header.from=victim.example", "none",
        "dmarc=pass header.from=victim.example header.from=evil.example",
        "dmarc=pass header.from=evil.example header.from=victim.example",
        "dmarc=pass header.from=victim.example; dmarc=fail header.from=victim.example",
        "dmarc=pass header.from=victim.example header.from=victim.example",
    ])
    func `a word that DMARC did not pass for this author makes up for nothing`(
        _ results: String
    ) throws {
        let sealed = try first.seal(message, finding: results)
        let passage = try pass(sealed, "DomainWhitelist sealer.example")
        #expect(try passage.methods()["arc"]?.result == "pass", "\(passage.results)")
        #expect(try disposition(passage) == "quarantine")
    }

    @Test func `a chain counts as far back as all its sealers are trusted`() throws {
        let chain = try second.seal(
            try first.seal(message, finding: Self.passed),
            finding: "dmarc=fail header.from=victim.example")
        #expect(
            try pass(chain, "").methods()["arc"]?.comment?.contains("i=2 relay.example") == true)
        let cases = [
            ("sealer.example, relay.example", "none"),
            // The older seal could be the newer sealer's invention.
            ("sealer.example", "quarantine"),
            // The newer sealer itself saw a failure.
            ("relay.example", "quarantine"),
        ]
        for (trusted, expected) in cases {
            let passage = try pass(chain, "DomainWhitelist \(trusted)")
            #expect(try disposition(passage) == expected, "\(trusted)")
        }
    }

    @Test func `a chain that is broken makes up for nothing`() throws {
        var changed = try first.seal(message, finding: Self.passed)
        changed.body += Array("P.S.: click here\r\n".utf8)
        var forged = try first.seal(
            message, finding: "dmarc=fail header.from=victim.example")
        for index in forged.fields.indices
        where forged.fields[index].name == "ARC-Authentication-Results" {
            forged.fields[index].value = Array(" i=1; mx.sealer.example; \(Self.passed)".utf8)
        }
        let stranger = try Sealer("sealer.example").seal(message, finding: Self.passed)
        for message in [changed, forged, stranger] {
            let passage = try pass(message, "DomainWhitelist sealer.example")
            #expect(try passage.methods()["arc"]?.result == "fail")
            #expect(try disposition(passage) == "quarantine")
        }
    }

    /// Overload is no fault of the chain's.
    @Test func `a chain whose keys could not be asked for decides nothing`() throws {
        let sealed = try first.seal(message, finding: Self.passed)
        var exchange = Exchange(
            configuration: "DomainWhitelist sealer.example\nRejectFailures yes")
        exchange.zone += "\n" + first.record
        exchange.refused = ["s._domainkey.sealer.example"]
        #expect(try exchange.pass(sealed).refusal?.hasPrefix("451") == true)
        // The chain of a stranger changes nothing.
        exchange.configuration = "DomainWhitelist relay.example\nRejectFailures yes"
        #expect(try exchange.pass(sealed).refusal?.hasPrefix("550 5.7.26") == true)
        // Nor does a key that the sealer's servers do not give (RFC 8617, section 5.2.1).
        exchange.configuration = "DomainWhitelist sealer.example\nRejectFailures yes"
        exchange.failing = exchange.refused
        exchange.refused = []
        #expect(try exchange.pass(sealed).refusal?.hasPrefix("550 5.7.26") == true)
    }

    @Test func `a chain makes no pass of mail of several author domains`() throws {
        let both = MailMessage.from("a@victim.example, b@quarantine.example")
        let sealed = try first.seal(both, finding: Self.passed)
        let passage = try pass(sealed, "DomainWhitelist sealer.example\nRejectFailures yes")
        #expect(passage.refusal?.hasPrefix("550 5.7.26") == true)
    }

    @Test func `the record has the chain and the reason`() throws {
        let folder = try TemporaryDirectory("signet-chain")
        let sealed = try first.seal(message, finding: Self.passed)
        _ = try pass(
            sealed,
            "DomainWhitelist sealer.example\nHistoryFile \(folder.file("history"))\n"
                + "ReportStore \(folder.file("reports.db"))")
        let lines = try String(contentsOfFile: folder.file("history"), encoding: .utf8)
        #expect(
            lines.contains(
                "arc_policy 0 json:[{ \"i\": 1, \"d\":\"sealer.example\", \"s\":\"s\", \"ip\":\"\" }]\n"
            ))
        let row = try Command.require(
            "sqlite3",
            [
                folder.file("reports.db"),
                "SELECT arc, disposition, reasons FROM evaluation",
            ])
        #expect(
            row == "pass|none|local_policy: arc=pass as[1].d=sealer.example as[1].s=s\n", "\(row)")
    }
}
