import Configuration
import DaemonResolver
import Foundation
import MailAuth
import MailCrypto
import MailDNS
import SessionTestKit
import TestKit
import Testing
import UnboundDNS

@testable import signet_dmarc

extension Behaviours {
    /// How mail is evaluated.
    static let evaluation: Checks = [
        "PublicSuffixList": {
            let folder = try TemporaryDirectory("signet-suffixes")
            let path = try folder.write(suffixes, to: "suffixes")
            // With the walk, which is the default, it is not used, and a notice says so.
            let problems = read("PublicSuffixList \(path)").problems
            #expect(problems.map(\.severity) == [.notice], "\(problems)")
            #expect(read("PublicSuffixList /nonexistent\nDomainDiscovery psl").problems.hasErrors)
            let empty = try folder.write("// nothing\n", to: "empty")
            #expect(read("PublicSuffixList \(empty)\nDomainDiscovery psl").problems.hasErrors)
            #expect(try dmarc("PublicSuffixList \(path)", neighbour, beside) == "pass")
            #expect(
                try dmarc("PublicSuffixList \(path)\nDomainDiscovery psl", neighbour, beside)
                    == "fail")
        },
        "DomainDiscovery": {
            let folder = try TemporaryDirectory("signet-suffixes")
            let path = try folder.write(suffixes, to: "suffixes")
            #expect(read("DomainDiscovery psl").problems.hasErrors)
            #expect(read("DomainDiscovery auto").problems.hasErrors)
            #expect(read("DomainDiscovery guess").problems.hasErrors)
            // Two customers of one host, whose record has no psd tag: RFC 9989 takes them for one organization.
            let expected = [("treewalk", "pass"), ("psl", "fail"), ("auto", "fail")]
            for (mode, result) in expected {
                let configuration = "PublicSuffixList \(path)\nDomainDiscovery \(mode)"
                let passage = try pass(configuration, neighbour, beside)
                #expect(try passage.methods()["dmarc"]?.result == result, "\(mode)")
            }
            // What the DNS says of a public suffix counts in auto, as in the walk; the list alone knows nothing of it.
            let listed = "PublicSuffixList \(path)\nDomainDiscovery"
            let inside: (inout Exchange) -> Void = {
                beside(&$0)
                $0.zone = $0.zone.replacing("p=reject; sp=none", with: "p=reject; psd=n")
            }
            #expect(try dmarc("\(listed) auto", neighbour, inside) == "pass")
            #expect(try dmarc("\(listed) psl", neighbour, inside) == "fail")
        },
        "DNSTimeout": {
            #expect(read("").configuration.resolver.timeout == 5)
            #expect(read("DNSTimeout 0").problems.hasErrors)
            var exchange = Exchange(
                configuration: "DNSTimeout 1", silent: ["_dmarc.victim.example"])
            exchange.silent.append("evil.example")
            #expect(read("DNSTimeout 1").configuration.resolver.timeout == 1)
            let methods = try exchange.pass(forged).methods()
            #expect(methods["dmarc"]?.result == "temperror")
            #expect(methods["spf"]?.result == "temperror")
        },
        "Nameservers": {
            #expect(read("").configuration.resolver.options.nameservers.isEmpty)
            let text = "Nameservers 192.0.2.53, [2001:db8::53]@5353"
            #expect(read(text).configuration.resolver.options.nameservers.count == 2)
            #expect(read("Nameservers dns.example").problems.hasErrors)
        },
        "TrustAnchorFile": {
            let folder = try TemporaryDirectory("signet-anchor")
            let path = try folder.write(". IN DS 1 8 2 00\n", to: "root.key")
            let options = read("TrustAnchorFile \(path)").configuration.resolver.options
            #expect(options.trustAnchorFile == path)
            #expect(read("TrustAnchorFile \(path).absent").problems.hasErrors)
        },
        "ReverseLookup": {
            #expect(try pass("").methods()["iprev"] == nil)
            let named: (inout Exchange) -> Void = {
                $0.zone += "\n66.113.0.203.in-addr.arpa. PTR mail.evil.example.\n"
                $0.zone += "mail.evil.example. A 203.0.113.66\n"
            }
            let methods = try pass("ReverseLookup yes", forged, named).methods()
            #expect(methods["iprev"]?.result == "pass")
            #expect(methods["iprev"]?["policy", "iprev"] == "203.0.113.66")
        },
        "MaximumSignaturesToVerify": {
            let strangers = try (0..<3).map { try Sealer("s\($0).example") }
            let author = try Sealer("victim.example")
            var message = try author.sign(.from("a@victim.example"))
            for stranger in strangers { message = try stranger.sign(message) }
            let zone: (inout Exchange) -> Void = { exchange in
                for sealer in strangers + [author] { exchange.zone += "\n" + sealer.record }
            }
            func passes(_ configuration: String) throws -> Int {
                let results = try pass(configuration, message, zone).results.first ?? ""
                return results.components(separatedBy: "dkim=pass").count - 1
            }
            #expect(try passes("") == 4)
            #expect(try passes("MaximumSignaturesToVerify 2") == 2)
            // The author's domain's own is not the one that is left out.
            #expect(try dmarc("MaximumSignaturesToVerify 1", message, zone) == "pass")
            #expect(read("MaximumSignaturesToVerify 0").problems.hasErrors)
        },
        "MinimumKeyBits": {
            let author = try Sealer("victim.example", .generateRSA(bits: 2048))
            let message = try author.sign(.from("a@victim.example"))
            let zone: (inout Exchange) -> Void = { $0.zone += "\n" + author.record }
            #expect(try dmarc("", message, zone) == "pass")
            #expect(try dmarc("MinimumKeyBits 2048", message, zone) == "pass")
            #expect(try dmarc("MinimumKeyBits 2049", message, zone) == "fail")
        },
        "BaseDirectory": {
            let directory = try TemporaryDirectory("signet-dmarc-base")
            try directory.write("203.0.113.0/24\n", to: "hosts")
            let text = "BaseDirectory \(directory.path)\nIgnoreHosts file:hosts\n"
            #expect(try pass(text).logs("ignoring connection from"))
        },
        "SingletonHeaders": {
            let author = try Sealer("victim.example", .generateRSA(bits: 2048))
            var message = try author.sign(.from("a@victim.example"))
            message.fields.insert(MailMessage.Field("Subject", " another"), at: 0)
            let zone: (inout Exchange) -> Void = { $0.zone += "\n" + author.record }
            #expect(try dmarc("", message, zone) == "fail")
            #expect(try dmarc("SingletonHeaders *,-Subject", message, zone) == "pass")
        },
    ]

    /// Mail of one customer of host.suffix with the SPF of another; host.suffix has a record without a psd tag.
    private static var neighbour: MailMessage { .from("a@one.host.suffix") }

    private static func beside(_ exchange: inout Exchange) {
        exchange.sender = "<x@two.host.suffix>"
        exchange.zone += """

            two.host.suffix. TXT "v=spf1 +all"
            _dmarc.one.host.suffix. TXT "v=DMARC1; p=reject"
            _dmarc.host.suffix. TXT "v=DMARC1; p=reject; sp=none"

            """
    }

    private static let suffixes = "suffix\nhost.suffix\n"
}
