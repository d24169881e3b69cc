import MailDNS
import MailSyntax
import TestKit
import Testing

/// A DNS that does not do as it should, as the running daemon meets it.
@Suite(.serialized) struct UnhappyDNSTests {
    static let name = "mail._domainkey.example.org"

    /// What the server does with the key's name, and what the message is told.
    static let behaviours: [(String, ScriptedDNSServer.Behaviour, result: String)] = [
        ("silence", .drop, "temperror"),
        ("SERVFAIL", .code(2), "temperror"),
        ("REFUSED", .code(5), "temperror"),
        ("no such name", .code(3), "permerror"),
        ("garbage", .garbage, "temperror"),
        ("a record cut short", .rawData([200, 65]), "temperror"),
        ("an empty record", .rawData([0]), "permerror"),
        ("an answer cut over UDP", .truncate, "pass"),
        ("an answer with another id", .wrongID, "temperror"),
        ("a slow server", .delay(0.5), "pass"),
    ]

    @Test(.timeLimit(.minutes(5)), arguments: behaviours)
    func `the result is what it must be`(
        _ what: String, _ behaviour: ScriptedDNSServer.Behaviour, _ result: String
    ) throws {
        let daemon = try RunningDaemon("On-DNSError accept\n")
        daemon.dns.set(behaviour, for: try DomainName(Self.name))
        let outcome = try daemon.mta.deliver(try MailMessage.plain.signed())
        #expect(outcome.results.count == 1)
        #expect(outcome.results[0].contains("dkim=\(result) "), "\(what): \(outcome.results)")
        if result != "pass" {
            let words =
                result == "temperror" || what == "no such name" ? "key retrieval failed" : "failed"
            #expect(daemon.log("4XyZ: ") > 0 && daemon.log(words) > 0)
        }
    }

    @Test func `by default a message waits for better times`() throws {
        let daemon = try RunningDaemon("")
        daemon.dns.set(.code(2), for: try DomainName(Self.name))
        let signed = try MailMessage.plain.signed()
        #expect(try daemon.mta.deliver(signed).refusal == "451 4.7.5")
        let line = "4XyZ: deferred: key retrieval failed (s=mail, d=example.org): "
        #expect(daemon.log(line) == 1)
        #expect(daemon.log("4XyZ: ") == 1)
    }

    @Test func `a record of 64 KB and a loop of aliases are no keys`() throws {
        var zone = ZoneResolver()
        let long = [[UInt8]](repeating: [UInt8](repeating: 65, count: 255), count: 250)
        let name = try DomainName(Self.name)
        zone.add(ZoneRecord(name, .txt, .text(long)))
        let big = try RunningDaemon("On-DNSError accept\n", zone: zone)
        let signed = try MailMessage.plain.signed()
        let results = try big.mta.deliver(signed).results[0]
        #expect(results.contains("dkim=permerror") || results.contains("dkim=temperror"))
        #expect(try big.peakMemory < 64 << 20)

        var loop = ZoneResolver()
        let other = try DomainName("other.example.org")
        loop.add(ZoneRecord(name, .cname, .name(other)))
        loop.add(ZoneRecord(other, .cname, .name(name)))
        let looping = try RunningDaemon("On-DNSError accept\n", zone: loop)
        #expect(try looping.mta.deliver(signed).results[0].contains("dkim=temperror"))
    }
}
