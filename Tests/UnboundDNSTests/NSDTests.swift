import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads
import UnboundDNS

/// The resolver against NSD: real messages of a real server, and DNSSEC.
@Suite(.serialized, .enabled(if: NSDServer.isInstalled)) struct NSDTests {
    private static let zone = """
        mail.example.org.  A 192.0.2.1
        mail.example.org.  AAAA 2001:db8::1
        example.org.       MX 10 mail.example.org.
        example.org.       TXT "v=spf1 " "mx -all"
        alias.example.org. CNAME mail.example.org.
        loop.example.org.  CNAME loop.example.org.
        *.wild.example.org. TXT "any"
        long.example.org.  TXT \((0..<12).map { "\"\(String(repeating: "\($0 % 10)", count: 250))\"" }.joined(separator: " "))
        """

    private static let expected = [
        ("mail.example.org A", "192.0.2.1"),
        ("mail.example.org AAAA", "2001:db8::1"),
        ("example.org MX", "mx 10 mail.example.org"),
        ("example.org TXT", "text [v=spf1 |mx -all]"),
        ("alias.example.org A", "192.0.2.1"),
        ("alias.example.org MX", "NODATA"),
        ("x.wild.example.org TXT", "text [any]"),
        ("org A", "NODATA"),
        ("absent.example.org A", "NXDOMAIN"),
    ]

    @Test func answers() throws {
        let server = try NSDServer(Self.zone)
        defer { server.stop() }
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
        for (question, line) in Self.expected {
            let answer = resolver.resolve(try .test(question), deadline: .now() + 5)
            #expect(answer.line == line, "\(question)")
        }
        let long = resolver.resolve(try .test("long.example.org TXT"), deadline: .now() + 5)
        guard case .records(let records, _) = long, case .text(let strings)? = records.first else {
            Issue.record("no long text: \(long)")
            return
        }
        #expect(strings.map(\.count) == Array(repeating: 250, count: 12))
    }

    /// The resolver does without the family that no server has.
    @Test(.enabled(if: NSDServer.hasIPv6)) func serversOfEitherFamilyAnswer() throws {
        let server = try NSDServer(Self.zone)
        defer { server.stop() }
        let silent = Nameserver(.v4(0x7f00_0001), port: try LoopbackPort.free())
        for servers in [[server.nameserver6], [silent, server.nameserver6]] {
            let resolver = try UnboundResolver(.init(nameservers: servers))
            let answer = resolver.resolve(try .test("example.org MX"), deadline: .now() + 10)
            #expect(answer.line == "mx 10 mail.example.org", "\(servers)")
        }
    }

    @Test(.enabled(if: NSDServer.canSign)) func aSignedZoneIsSecure() throws {
        let server = try NSDServer(Self.zone, signing: .signed(replacing: [:]))
        defer { server.stop() }
        let resolver = try UnboundResolver(
            .init(nameservers: [server.nameserver], trustAnchorFile: server.trustAnchorFile))
        for (question, line) in Self.expected {
            let answer = resolver.resolve(try .test(question), deadline: .now() + 5)
            #expect(answer.line == line + " (secure)", "\(question)")
        }
        // Without a trust anchor the same answers are not secure.
        let other = try UnboundResolver(.init(nameservers: [server.nameserver]))
        let answer = other.resolve(try .test("example.org MX"), deadline: .now() + 5)
        #expect(answer.line == "mx 10 mail.example.org")
    }

    @Test(.enabled(if: NSDServer.canSign)) func aChangedRecordIsBogus() throws {
        let server = try NSDServer(
            Self.zone, signing: .signed(replacing: ["192.0.2.1": "192.0.2.66"]))
        defer { server.stop() }
        let resolver = try UnboundResolver(
            .init(nameservers: [server.nameserver], trustAnchorFile: server.trustAnchorFile))
        let answer = resolver.resolve(try .test("mail.example.org A"), deadline: .now() + 5)
        guard case .failure(.bogus(let reason)) = answer else {
            Issue.record("not bogus: \(answer)")
            return
        }
        #expect(!reason.isEmpty)
        let other = resolver.resolve(try .test("example.org MX"), deadline: .now() + 5)
        #expect(other.line == "mx 10 mail.example.org (secure)")
    }
}
