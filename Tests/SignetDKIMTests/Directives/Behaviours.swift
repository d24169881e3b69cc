import DaemonKit
import Foundation
import MailDNS
import MailSyntax
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

/// A check of its behaviour for each implemented directive, by the directive's name.
enum Behaviours {
    typealias Checks = [String: @Sendable () throws -> Void]

    static var all: Checks {
        [decision, signing, keys, verifying, results, actions, service].reduce(into: [:]) {
            $0.merge($1) { first, _ in first }
        }
    }

    /// Whose mail is signed, and whose is left alone.
    static let decision: Checks = [
        "Mode": {
            let keys = try Keys.shared.get()
            let signed = try MailMessage.plain.signed()
            // In mode s what is not signed is not verified either.
            let onlySigns = try pass("Mode s\n" + keys.single, signed)
            #expect(onlySigns.verdict == .continue)
            let onlyVerifies = try pass(ours("Mode v\n" + keys.single), signed)
            #expect(onlyVerifies.signatures.count == 1 && onlyVerifies.results.count == 1)
            #expect(onlyVerifies.log.contains("4XyZ: Mode is v; not signed"))
            #expect(try pass(ours(keys.single)).signatures.count == 1)
            #expect(try pass(keys.single, signed).results.count == 1)
        },
        "InternalHosts": {
            let keys = try Keys.shared.get()
            #expect(try pass("InternalHosts 192.0.2.1\n" + keys.single).signatures.count == 1)
            #expect(try pass("InternalHosts .example.net\n" + keys.single).signatures.count == 1)
            #expect(
                try pass("InternalHosts 192.0.2.0/24, !192.0.2.1\n" + keys.single).signatures
                    .isEmpty)
            // The default is this host, and giving the directive replaces it.
            for address in ["127.0.0.1", "::1"] {
                let local: (inout Exchange) -> Void = { $0.peer.address = .init(address) }
                #expect(try pass(keys.single, .plain, local).signatures.count == 1)
                #expect(try pass(ours(keys.single), .plain, local).signatures.isEmpty)
            }
        },
        "MTA": {
            let text = "MTA submission, ORIGINATING\n" + (try Keys.shared.get().single)
            let passage = try pass(text, .plain) {
                $0.connectMacros["daemon_name"] = "submission"
                // cleanup(8) gives main.cf's name later on.
                $0.mailMacros["daemon_name"] = "smtpd"
            }
            #expect(passage.signatures.count == 1)
            let other = try pass(text, .plain) { $0.mailMacros["daemon_name"] = "submission" }
            #expect(other.signatures.isEmpty)
        },
        "MacroList": {
            let keys = try Keys.shared.get().single
            let list = "MacroList {auth_authen}=alice|bob, client_type\n" + keys
            let count = { (macros: [String: String]) throws -> Int in
                try pass(list, .plain) { $0.mailMacros = macros }.signatures.count
            }
            #expect(try count(["auth_authen": "bob"]) == 1)
            #expect(try count(["auth_authen": "Bob"]) == 0)
            #expect(try count(["auth_authen": ""]) == 0)
            #expect(try count(["client_type": "anything"]) == 1)
            #expect(try count([:]) == 0)
            let directory = try TemporaryDirectory()
            let forms = ["auth_authen alice|bob", "auth_authen=alice|bob", "auth_authen|alice|bob"]
            for form in forms {
                let path = try directory.write(form + "\n", to: "macros")
                for (name, count) in [("alice", 1), ("bob", 1), ("auth_authen", 0)] {
                    let file = try pass("MacroList file:\(path)\n" + keys, .plain) {
                        $0.mailMacros = ["auth_authen": name]
                    }
                    #expect(file.signatures.count == count, "\(form)")
                }
            }
            // As dkimpy-milter's README has it.
            let pair = try pass("MacroList daemon_name|ORIGINATING\n" + keys, .plain) {
                $0.mailMacros = ["daemon_name": "ORIGINATING"]
            }
            #expect(pair.signatures.count == 1)
        },
        "MacroListVerify": {
            let text = ours("MacroListVerify daemon_name=mx\n" + (try Keys.shared.get().single))
            let passage = try pass(text, .plain) { $0.mailMacros["daemon_name"] = "mx" }
            #expect(passage.signatures.isEmpty)
            let dkimpys = try pass(text.replacing("daemon_name=mx", with: "daemon_name|x|mx")) {
                $0.mailMacros["daemon_name"] = "mx"
            }
            #expect(dkimpys.signatures.isEmpty)
            #expect(
                passage.log.contains(
                    "4XyZ: MacroListVerify marks it as mail from outside; not signed"))
            #expect(try pass(text).signatures.count == 1)
        },
        "PeerList": {
            let passage = try pass(
                "PeerList .example.net\nAlwaysAddARHeader yes\n",
                .plain.adding(("Authentication-Results", "mx.example.org; dkim=pass")))
            #expect(passage.verdict.reply == .continue)
            // What claims to be ours goes from anybody but this host (RFC 8601, section 5).
            #expect(passage.results.isEmpty)
            #expect(passage.signatures.isEmpty)
            // Not even a header section that is too long matters.
            let long = try pass("PeerList 192.0.2.1\nMaximumHeaders 10\n")
            #expect(long.verdict == .continue)
        },
        "ExternalIgnoreList": {
            let keys = try Keys.shared.get().single
            let line =
                "4XyZ: external host client.example.net [192.0.2.1] attempted to send as "
                + "example.org"
            #expect(try pass(keys).log.contains(line))
            #expect(try !pass("ExternalIgnoreList 192.0.2.1\n" + keys).log.contains(line))
            let other = try pass(keys, .plain.with(("From", "eve@example.com")))
            #expect(!other.logs("attempted to send"))
        },
        "ExemptDomains": {
            let passage = try pass(
                ours("ExemptDomains example.org\n" + (try Keys.shared.get().single)))
            #expect(passage.verdict == .continue)
            #expect(passage.log == ["4XyZ: example.org is in ExemptDomains; not signed"])
        },
        "DontSignMailTo": {
            let text = ours("DontSignMailTo list@example.net\n" + (try Keys.shared.get().single))
            let passage = try pass(text) { $0.recipients.append("<list@example.net>") }
            #expect(passage.signatures.isEmpty)
            #expect(
                passage.log.contains("4XyZ: list@example.net is in DontSignMailTo; not signed"))
            #expect(try pass(text).signatures.count == 1)
            // Recipients are asked for only where they matter.
            let services = DKIMServices(
                configuration: Snapshot(read(text).configuration), resolver: ZoneResolver(),
                log: Log())
            #expect(DKIMFilter(services: services).needs.events.contains(.recipient))
        },
        "SenderHeaders": {
            let text = ours("SenderHeaders Sender, From\n" + (try Keys.shared.get().single))
            let message = MailMessage.plain.with(("From", "alice@example.com"))
            #expect(
                try pass(text, message.with(("Sender", "a@example.org"))).signatures.count == 1)
            let passage = try pass(text, message)
            #expect(passage.signatures.isEmpty)
            #expect(passage.log.contains("4XyZ: example.com is not in Domain; not signed"))
            #expect(!errors("SenderHeaders X-*\n").isEmpty)
            // Where none of the fields is present From says who the sender is.
            let sender = ours("SenderHeaders Sender\n" + (try Keys.shared.get().single))
            #expect(try pass(sender).signatures.count == 1)
            #expect(
                try pass(sender, .plain.with(("Sender", "a@example.com"))).signatures.isEmpty)
            // RFC 2369, sections 2 and 3.4: URIs between angle brackets, comments, several.
            let list = ours("SenderHeaders List-Post,Sender\n" + (try Keys.shared.get().single))
            for (value, isSigned) in [
                ("<mailto:list@example.org>", true),
                ("<https://example.com/>, (or)\n <MAILTO:list%40example.org?subject=x>", true),
                ("NO (posting not allowed)", false), ("<https://example.org/>", false),
                ("<mailto:list@example.net>", false),
                ("<mailto:a@example.org>, <mailto:b@example.net>", false),
                ("(<mailto:list@example.org>)", false), ("<mailto:list@example.org", false),
                ("<mailto:%>", false), ("<mailto:a@example.org,b@example.org>", false),
            ] {
                let posted = message.with(("List-Post", value))
                #expect(try pass(list, posted).signatures.count == (isSigned ? 1 : 0), "\(value)")
            }
        },
        "MaximumHeaders": {
            let keys = try Keys.shared.get().single
            #expect(
                try pass(ours("MaximumHeaders 200\n" + keys)).signatures.count == 1)
            let message = MailMessage.plain.with(("X", String(repeating: "x", count: 200)))
            let passage = try pass(ours("MaximumHeaders 200\n" + keys), message)
            #expect(passage.refusal == "451 4.3.4")
            #expect(
                passage.log.contains(
                    "4XyZ: deferred: the header section has more than 200 octets"))
            let long = MailMessage.plain.with(("X", String(repeating: "x", count: 70_000)))
            #expect(try pass(ours(keys), long).refusal == "451 4.3.4")
            #expect(try pass(ours("MaximumHeaders 0\n" + keys), long).signatures.count == 1)
        },
        "RequiredHeaders": { try checkRequiredFields("RequiredHeaders") },
        "StrictHeaders": { try checkRequiredFields("StrictHeaders") },
        "IgnoreMalformedMail": {
            let passage = try pass(
                ours(
                    "RequiredHeaders yes\nIgnoreMalformedMail yes\n"
                        + (try Keys.shared.get().single)),
                .plain.without("Date"))
            #expect(passage.verdict == .continue)
            #expect(passage.log == ["4XyZ: malformed: no Date header field; not signed"])
        },
        "LogWhy": {
            let keys = try Keys.shared.get().single
            #expect(
                try pass("LogWhy yes\n" + keys).log.starts(with: [
                    "4XyZ: client.example.net [192.0.2.1] not internal",
                    "4XyZ: not authenticated",
                    "4XyZ: the sender is alice@example.org",
                ]))
            #expect(
                try pass(ours("LogWhy yes\n" + keys)).log == [
                    "4XyZ: mail of ours: internal host", "4XyZ: the sender is alice@example.org",
                ])
            #expect(try pass(ours(keys)).log.isEmpty)
        },
        "SoftwareHeader": {
            let keys = try Keys.shared.get().single
            let field = { (text: String) throws -> [String] in
                try pass("SoftwareHeader yes\n" + text).message.values("DKIM-Filter")
            }
            let value = " Signet v\(Version.current) mx.example.org 4XyZ"
            #expect(try field(ours(keys)) == [value])
            #expect(try field(keys) == [value])
            // Nothing is added to what is left alone.
            #expect(try field("Mode s\n" + keys).isEmpty)
        },
    ]

    private static func checkRequiredFields(_ directive: String) throws {
        let text = ours("\(directive) yes\n" + (try Keys.shared.get().single))
        #expect(try pass(text).signatures.count == 1)
        for message in [
            MailMessage.plain.without("Date"), .plain.without("From"),
            .plain.adding(("From", "a@example.org")), .plain.adding(("Subject", "again")),
        ] {
            #expect(try pass(text, message).refusal == "550 5.6.0")
        }
        #expect(try pass(ours(Keys.shared.get().single), .plain.without("Date")).refusal == nil)
    }
}
