import MailAuth
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads
import UnboundDNS

/// The standard's test suite again, through libunbound and a DNS server on a loopback port.
@Suite("RFC 7208 test suite over real DNS")
struct RFC7208OverDNSTests {
    /// Cases whose zone data the DNS cannot carry, and why.
    static let unservable = [
        "null-text": "a TXT record has at least one string (RFC 1035, section 3.3.14)"
    ]

    @Test(
        "scenario", .enabled(if: SPFSuite.shared != nil, "rfc7208-tests.yml not found"),
        arguments: Set(RFC7208SuiteTests.cases.map(\.scenario)).sorted())
    func scenario(_ scenario: String) throws {
        let cases = RFC7208SuiteTests.cases.filter { $0.scenario == scenario }
        let zone = try #require(cases.first?.zone)
        let server = try ScriptedDNSServer(zone.resolver)
        defer { server.stop() }
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
        let evaluator = SPFEvaluator(resolver: resolver, time: .system, receiver: "mx.example.net")
        for test in cases where RFC7208OverDNSTests.unservable[test.name] == nil {
            test.expect(try test.check(evaluator))
        }
    }

    @Test("a server that does not answer makes a temperror", .timeLimit(.minutes(5)))
    func silence() throws {
        let server = try ScriptedDNSServer(
            ZoneResolver(parsing: "example.com. TXT \"v=spf1 a:dead.example.com -all\""))
        defer { server.stop() }
        server.set(.drop, for: try DomainName("dead.example.com"))
        var limits = SPFLimits()
        limits.seconds = 1
        let evaluator = SPFEvaluator(
            resolver: try UnboundResolver(.init(nameservers: [server.nameserver])), time: .system,
            limits: limits)
        let outcome = evaluator.check(
            .mailFrom(Array("u@example.com".utf8), helo: [], client: .v4(1)))
        #expect(outcome.result == .temperror && outcome.problem == .deadline)
    }

    @Test("a record of 64 KB comes over TCP, and is evaluated")
    func large() throws {
        let strings = Array(
            repeating: Array((String(repeating: "ip4:10.0.0.1 ", count: 19)).utf8), count: 250)
        var zone = ZoneResolver()
        zone.add(
            ZoneRecord(
                try DomainName("example.com"), .txt,
                .text([Array("v=spf1 ".utf8)] + strings + [Array("ip4:192.0.2.1 -all".utf8)])))
        let server = try ScriptedDNSServer(zone)
        defer { server.stop() }
        let evaluator = SPFEvaluator(
            resolver: try UnboundResolver(.init(nameservers: [server.nameserver])), time: .system)
        let outcome = evaluator.check(
            .mailFrom(Array("u@example.com".utf8), helo: [], client: .v4(0xC000_0201)))
        #expect(outcome.decision?.mechanism == "ip4:192.0.2.1", "\(outcome.sentence)")
        #expect(server.tcpQueryCount > 0)
    }
}

extension SuiteZone {
    /// The zone as a server has it: what times out answers with SERVFAIL, which is an error as well, and
    /// saves the wait.
    var resolver: ZoneResolver {
        var zone = ZoneResolver()
        for (name, node) in nodes {
            if let alias = node.alias { zone.add(ZoneRecord(name, .cname, .name(alias))) }
            for (type, records) in node.records {
                for record in records where record != .text([]) {
                    zone.add(ZoneRecord(name, type, record))
                }
            }
            for type in RecordType.allCases where node.timesOut && node.records[type] == nil {
                zone.fail(name, type, with: .timeout)
            }
        }
        return zone
    }
}
