import MailAuth
import MailDNS
import MailSyntax
import Testing
import Threads

/// libspf2 as a second opinion over generated and damaged records.
@Suite("Second opinion: libspf2")
struct DifferentialTests {
    static let clients = [
        "192.0.2.1", "198.51.100.7", "203.0.113.9", "10.1.2.3", "2001:db8::1", "2001:db9::5",
    ]

    @Test("each difference over generated records has a known cause", arguments: [7208, 4408, 1])
    func generated(seed: UInt64) throws {
        var generator = RecordGenerator(seed: seed)
        let tries = (0..<1500).map { _ in
            Try(record: generator.record(), client: generator.pick(DifferentialTests.clients))
        }
        let theirs = try SPF2Process.results(tries.map(\.check))
        var agreements = 0
        for (one, other) in zip(tries, theirs) {
            let ours = try one.outcome()
            if ours.result.rawValue == other {
                agreements += 1
            } else if try LibSPF2Fault.explaining(one, ours, other) == nil {
                Issue.record("\(one.client) \(one.record): \(ours.sentence); libspf2: \(other)")
            }
        }
        // Were the witness to answer nonsense, the faults could explain much of it.
        #expect(agreements > tries.count * 95 / 100)
    }

    @Test("known faults are as they were, or mended")
    func pinned() throws {
        let tries = LibSPF2Fault.pinned.map { Try(record: $0.record, client: "192.0.2.1") }
        let theirs = try SPF2Process.results(tries.map(\.check))
        for (index, fault) in LibSPF2Fault.pinned.enumerated() {
            #expect(try tries[index].outcome().result.rawValue == fault.right, "\(fault.record)")
            #expect([fault.theirs, fault.right].contains(theirs[index]), "\(fault.record)")
        }
    }

    @Test("an explanation that kills libspf2 is cut by us, and the witness goes on")
    func fatal() throws {
        var fatal = Try(record: "v=spf1 -all exp=exp.example.net", client: "192.0.2.1")
        fatal.more = [
            .init(name: "exp.example.net", type: 16, data: LibSPF2Fault.fatalExplanation)
        ]
        let harmless = Try(record: "v=spf1 +all", client: "192.0.2.1")
        let theirs = try SPF2Process.results([harmless.check, fatal.check, harmless.check])
        #expect(theirs[0] == "pass" && theirs[2] == "pass")
        #expect(["abort", "fail"].contains(theirs[1]))
        let ours = try fatal.outcome(wantsExplanation: true)
        #expect(ours.result == .fail)
        #expect(ours.explanation?.utf8.count == SPFLimits().explanationLength)
    }
}

/// A record of example.net and a client, evaluated by both.
struct Try: Sendable {
    let record: String
    let client: String

    init(record: String, client: String) {
        self.record = record
        self.client = client
    }

    static let helo = "helo.example.net"
    static let sender = "strong-bad@example.net"

    /// Records beside those of the shared zone.
    var more: [SPF2Process.Record] = []

    private var zone: [SPF2Process.Record] {
        DifferentialZone.records + more + [.init(name: "example.net", type: 16, data: record)]
    }

    var check: SPF2Process.Check {
        SPF2Process.Check(zone: zone, client: client, helo: Try.helo, sender: Try.sender)
    }

    func outcome(
        _ limits: SPFLimits = SPFLimits(), wantsExplanation: Bool = false
    ) throws -> SPFOutcome {
        var resolver = ZoneResolver()
        for entry in zone {
            resolver.add(
                ZoneRecord(
                    try DomainName(entry.name),
                    try #require(RecordType(rawValue: UInt16(entry.type))),
                    try #require(entry.dns)))
        }
        let address = try #require(IPAddress(client))
        return SPFEvaluator(
            resolver: resolver, time: .system, limits: limits, wantsExplanation: wantsExplanation
        ).check(.mailFrom(Array(Try.sender.utf8), helo: Array(Try.helo.utf8), client: address))
    }
}

extension SPF2Process.Record {
    /// The record as our resolvers have it.
    var dns: DNSRecord? {
        switch type {
        case 1, 28: IPAddress(data).map { .address($0) }
        case 12: (try? DomainName(data)).map { .name($0) }
        case 15: (try? DomainName(data)).map { .mx(preference: 10, exchange: $0) }
        case 16: .text([Array(data.utf8)])
        default: nil
        }
    }
}
