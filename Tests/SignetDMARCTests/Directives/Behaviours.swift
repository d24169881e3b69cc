import Foundation
import MailAuth
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// A check of its behaviour for each implemented directive, by the directive's name.
enum Behaviours {
    typealias Checks = [String: @Sendable () throws -> Void]

    static var all: Checks {
        [scope, evaluation, trust, results, actions, records, failures, service].reduce(into: [:]) {
            $0.merge($1) { first, _ in first }
        }
    }

    /// Mail that pretends to be from a domain with p=reject.
    static var forged: MailMessage { .from("ceo@victim.example") }

    /// DMARC's result for a message.
    static func dmarc(
        _ configuration: String, _ message: MailMessage = forged,
        _ change: (inout Exchange) throws -> Void = { _ in }
    ) throws -> String? {
        try pass(configuration, message, change).methods()["dmarc"]?.result
    }

    /// A message's passage.
    static func pass(
        _ configuration: String, _ message: MailMessage = forged,
        _ change: (inout Exchange) throws -> Void = { _ in }
    ) throws -> Passage {
        var exchange = Exchange(configuration: configuration)
        try change(&exchange)
        return try exchange.pass(message)
    }

    /// Whose mail is looked at, and whose is not taken.
    static let scope: Checks = [
        "IgnoreAuthenticatedClients": { () throws in
            let login: (inout Exchange) -> Void = { $0.mechanism = "PLAIN" }
            #expect(try pass("", forged, login).logs("ignoring authenticated client"))
            #expect(try dmarc("IgnoreAuthenticatedClients no", forged, login) == "fail")
            // An empty name is no login.
            #expect(try dmarc("", forged) { $0.mechanism = "" } == "fail")
        },
        "IgnoreHosts": {
            let folder = try TemporaryDirectory("signet-hosts")
            let path = try folder.write("# ours\n203.0.113.0/24\n", to: "ignore.hosts")
            for value in [
                "203.0.113.66", "203.0.113.0/24", "mail.evil.example", ".evil.example", path,
                "file:\(path)", "192.0.2.1, 203.0.113.66",
            ] {
                #expect(
                    try pass("IgnoreHosts \(value)").logs("ignoring connection from"), "\(value)")
            }
            for value in ["203.0.113.67", "evil.example", "127.0.0.1"] {
                #expect(try dmarc("IgnoreHosts \(value)") == "fail", "\(value)")
            }
            // Both loopback addresses are the default, which a list replaces.
            for address in ["127.0.0.1", "::1"] {
                let local: (inout Exchange) -> Void = { $0.address = address }
                #expect(try pass("", forged, local).logs("ignoring connection from"))
                #expect(try dmarc("IgnoreHosts 192.0.2.1", forged, local) == "fail")
            }
        },
        "IgnoreMailFrom": { () throws in
            for value in ["victim.example", "other.example, VICTIM.example"] {
                #expect(
                    try pass("IgnoreMailFrom \(value)").logs("ignoring mail from victim.example"))
            }
            #expect(try dmarc("IgnoreMailFrom evil.example") == "fail")
            // The From field counts, not the envelope; and all author domains must be listed.
            let both = MailMessage.from("a@victim.example, b@quarantine.example")
            #expect(try dmarc("IgnoreMailFrom victim.example", both) == "fail")
            #expect(
                try pass("IgnoreMailFrom victim.example, quarantine.example", both)
                    .logs("ignoring mail from"))
            #expect(try dmarc("IgnoreMailFrom evil.example", forged) == "fail")
        },
        "MaximumHeaders": { () throws in
            var message = MailMessage.from("x@evil.example")
            message.fields.append(.init("X-Filler", " " + String(repeating: "x", count: 70_000)))
            #expect(
                try pass("MaximumHeaders 65536", message).refusal?.hasPrefix("451 4.3.4") == true)
            for value in ["", "MaximumHeaders 0", "MaximumHeaders 131072"] {
                #expect(try dmarc(value, message) == "pass")
            }
        },
        "RequiredHeaders": { () throws in
            let required = "RequiredHeaders yes"
            var message = MailMessage.from("x@evil.example")
            #expect(try dmarc(required, message) == "pass")
            message.fields.append(.init("Subject", " again"))
            #expect(try pass(required, message).refusal?.hasPrefix("550 5.6.0") == true)
            #expect(try pass(required, message).logs("RFC5322 requirement error: 2 Subject"))
            #expect(try dmarc("", message) == "pass")
            for name in ["Date", "From"] {
                var message = MailMessage.from("x@evil.example")
                message.fields.removeAll { $0.name == name }
                #expect(try pass(required, message).refusal?.contains("no \(name)") == true)
                #expect(try pass("", message).refusal == nil)
            }
            // "A From: field from which no domain name could be extracted will also be rejected."
            for from in ["nobody", "Undisclosed senders:;", "<a@[192.0.2.1]>", "a@"] {
                #expect(
                    try pass(required, .from(from)).refusal?.hasPrefix("550 5.6.0") == true,
                    "\(from)")
                #expect(try pass("", .from(from)).logs("4XyZ: unable to parse From header field"))
            }
            #expect(try dmarc(required, .from("Company, Inc. <x@evil.example>")) == "pass")
        },
        "RejectMultiValueFrom": { () throws in
            let rejecting = "RejectMultiValueFrom yes"
            let several = MailMessage.from("a@evil.example, b@none.example")
            #expect(try pass(rejecting, several).refusal?.hasPrefix("550 5.7.1") == true)
            #expect(try pass("", several).refusal == nil)
            let twice = MailMessage.from("a@evil.example", ("From", "b@evil.example"))
            #expect(try pass(rejecting, twice).refusal?.hasPrefix("550 5.7.1") == true)
            // OpenDMARC's words, whether or not it is rejected.
            for (configuration, message) in [
                (rejecting, several), ("", several), (rejecting, twice), ("", twice),
            ] {
                #expect(
                    try pass(configuration, message).logs("multi-valued From field detected"))
            }
            #expect(try dmarc("", twice) == "pass")
            let hidden = MailMessage.from("a@evil.example", ("From", "b@victim.example"))
            #expect(try dmarc("", hidden) == "fail")
            // "unless all domain names in that field are the same"
            #expect(try dmarc(rejecting, .from("a@evil.example, b@EVIL.example")) == "pass")
        },
    ]
}
