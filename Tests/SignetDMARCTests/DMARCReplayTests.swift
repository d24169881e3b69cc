import DaemonKit
import FlightRecord
import MailDNS
import MailSyntax
import Observation
import Replay
import SessionTestKit
import TestKit
import Testing
import Threads

@testable import signet_dmarc

/// Decisions of the record, taken again: the verdict of then, whatever the DNS said.
struct DMARCReplayTests {
    /// Names and records that try what a resolver's answer can be.
    private static let zone =
        Exchange.zone + """

            loop.example. TXT "v=spf1 include:loop.example -all"
            deep.example. TXT "v=spf1 include:d1.example include:d2.example -all"
            d1.example. TXT "v=spf1 include:d3.example ?all"
            d2.example. TXT "v=spf1 exists:%{l}.%{ir}.x.example mx ptr a:gone.example -all"
            d3.example. TXT "v=spf1 a:g1.example a:g2.example a:g3.example -all"
            two.example. TXT "v=spf1 -all"
            two.example. TXT "v=spf1 +all"
            junk.example. TXT "v=spf1 ip4:999.1.1.1 \\000\\255 redirect"
            _dmarc.two.example. TXT "v=DMARC1; p=reject"
            _dmarc.two.example. TXT "v=DMARC1; p=none"
            _dmarc.junk.example. TXT "v=DMARC1; p=\\255; pct=999; rua=x"
            _dmarc.deep.example. CNAME _dmarc.victim.example.
            _dmarc.loop.example. CNAME _dmarc.loop.example.

            """

    private static let domains =
        [
            "evil", "victim", "quarantine", "none", "testing", "loop", "deep", "two", "junk",
            "gone",
            "mail.victim",
        ].map { "\($0).example" } + ["evil.co.suffix", "a.b.c.d.e.f.g.h.i.j.victim.example"]

    private static let failures: [DNSFailure] = [
        .timeout, .noServer, .serverFailure(responseCode: 2), .serverFailure(responseCode: 5),
        .malformed, .bogus(reason: "no signatures"), .resolver("too much is under way"),
    ]

    private static let configurations = [
        "RejectFailures yes\n", "RejectFailures no\n", "HoldQuarantinedMessages yes\n",
        "RejectFailures yes\nHoldQuarantinedMessages yes\nOnEvaluationTimeout tempfail\n",
    ]

    /// What differs between two entries, but for times.
    private static func differences(_ then: FlightEntry, _ now: FlightEntry) -> [String] {
        func essence(_ entry: FlightEntry) -> [String] {
            entry.items.filter { item in
                ![.question, .step, .evidence, .generation].contains(item.key)
            }.map { "\($0.key) \($0.text)" }
        }
        let difference = essence(now).difference(from: essence(then))
        return difference.map { "\($0)" }
    }

    /// What the session records of a message, through the octets of a file.
    private static func recorded(
        _ exchange: Exchange, _ message: MailMessage
    ) throws -> [UInt8] {
        var exchange = exchange
        let taken = Locked<[FlightEntry]>([])
        exchange.observer = Observer(
            ObservationSettings(), daemon: .dmarc, log: Log(level: .error, collecting: { _, _ in })
        ) { entry in taken.withLock { $0.append(entry) } }
        _ = try exchange.pass(message)
        var stream: [UInt8] = []
        for entry in taken.withLock({ $0 }) { FlightStream.append(entry, to: &stream) }
        return stream
    }

    /// Nothing was decided, so that there is nothing to decide again.
    @Test func `a message that ended early is recorded as that`() throws {
        var exchange = Exchange()
        exchange.endsEarly = true
        let stream = try Self.recorded(exchange, .from("ceo@victim.example"))
        let entries = FlightStream.entries(in: stream)
        let entry = try #require(entries.first)
        #expect(entries.count == 1)
        #expect(entry[.verdict] == "aborted")
        #expect(entry[.queueID] == "4XyZ" && entry[.recipient] == "bob@example.org")
        #expect(entry[.sender] == "x@evil.example" && entry[.clientAddress] == "203.0.113.66")
        #expect(entry[.author] == "victim.example")
        #expect(!entry.all(.question).isEmpty && entry.all(.result).isEmpty)
        let facts = try #require(RecordedFacts(entry.all(.evidence)))
        #expect(facts.omission == "it ended before it was complete")
    }

    private static func again(_ stream: [UInt8], _ configuration: String) -> [FlightEntry] {
        let settings = read(configuration).configuration
        let output = EntryReplay.entries(of: stream, daemon: .dmarc) { occasion in
            DMARCReplay.decide(occasion, settings)
        }
        return FlightStream.entries(in: output)
    }

    /// The messages: forged, signed, sealed, changed on the way, malformed.
    private static func message(
        _ author: String, _ random: inout SplitMix, _ sealers: [Sealer]
    ) throws -> MailMessage {
        let local = ["x", "\"a b\"", "ceo"].randomElement(using: &random) ?? "x"
        var message = MailMessage.from("Some One <\(local)@\(author)>")
        if Int.random(in: 0..<12, using: &random) == 0 {
            message = .from("<\(local)@\(author)>, <y@none.example>")
        }
        if Int.random(in: 0..<10, using: &random) == 0 {
            message.fields.append(.init("Subject", " another"))
        }
        for _ in 0..<Int.random(in: 0..<3, using: &random) {
            guard let sealer = sealers.randomElement(using: &random) else { break }
            message =
                Bool.random(using: &random)
                ? try sealer.sign(message)
                : try sealer.seal(message, finding: "spf=pass; dkim=pass header.d=victim.example")
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: message.body += Array("-- \r\nlist\r\n".utf8)
        case 1: message.fields.insert(.init("Authentication-Results", " mx.example.org; x"), at: 0)
        case 2: message.fields.insert(.init("DKIM-Signature", " v=1; z=Subject:x; \0\u{80}"), at: 0)
        default: break
        }
        return message
    }

    @Test func theVerdictOfThenForAThousandMessages() throws {
        var random = SplitMix(state: 0x5167_6E65_7421)
        let sealers = try ["evil.example", "victim.example", "gone.example"].map { try Sealer($0) }
        let keys = sealers.prefix(2).map(\.record).joined()
        var verdicts: [String: Int] = [:]
        var bogus = 0
        for number in 0..<1_000 {
            let author = Self.domains.randomElement(using: &random) ?? ""
            let sender = Self.domains.randomElement(using: &random) ?? ""
            var exchange = Exchange()
            exchange.zone = Self.zone + keys
            exchange.configuration = Self.configurations[number % Self.configurations.count]
            exchange.sender = number % 9 == 0 ? "<>" : "<x@\(sender)>"
            exchange.helo = Self.domains.randomElement(using: &random) ?? ""
            exchange.address = ["203.0.113.66", "192.0.2.1"].randomElement(using: &random)
            if number % 3 == 0, let failure = Self.failures.randomElement(using: &random) {
                let name =
                    [author, sender, "_dmarc.\(author)", "s._domainkey.evil.example"]
                    .randomElement(using: &random) ?? author
                exchange.broken = [name: failure]
                bogus += 1
            }
            let message = try Self.message(author, &random, sealers)
            let stream = try Self.recorded(exchange, message)
            let then = try #require(FlightStream.entries(in: stream).first)
            let now = try #require(Self.again(stream, exchange.configuration).first)
            #expect(now.all(.unknown) == [], "\(number)")
            #expect(Self.differences(then, now) == [], "\(number)")
            verdicts[then[.verdict] ?? "", default: 0] += 1
        }
        // The messages try more than one thing.
        #expect(bogus > 300)
        for verdict in ["passed", "refused", "held", "deferred"] {
            #expect(verdicts[verdict, default: 0] > 10, "\(verdicts)")
        }
    }

    @Test func answersThatNeverCame() throws {
        var exchange = Exchange()
        exchange.configuration = "RejectFailures yes\nDNSTimeout 1\n"
        exchange.sender = "<x@deep.example>"
        exchange.zone = Self.zone
        exchange.silent = ["d1.example", "_dmarc.victim.example"]
        let stream = try Self.recorded(exchange, .from("<x@victim.example>"))
        let then = try #require(FlightStream.entries(in: stream).first)
        let now = try #require(Self.again(stream, exchange.configuration).first)
        #expect(Self.differences(then, now) == [])
        #expect(then.all(.question).contains { $0.contains("time-out") })
    }

    @Test func anotherConfiguration() throws {
        var exchange = Exchange()
        exchange.configuration = "RejectFailures no\n"
        let stream = try Self.recorded(exchange, .from("<x@victim.example>"))
        let then = try #require(FlightStream.entries(in: stream).first)
        #expect(then[.verdict] == "passed" || then[.verdict] == "marked")
        let now = try #require(Self.again(stream, "RejectFailures yes\n").first)
        #expect(now[.verdict] == "refused")
        #expect(now[.rule]?.contains("RejectFailures") == true)
        let exempt = try #require(
            Self.again(stream, "RejectFailures yes\nIgnoreHosts csl:203.0.113.66\n").first)
        #expect(exempt[.verdict] == "ignored")
    }

    @Test func whatWasNotAskedIsNotKnown() throws {
        var exchange = Exchange()
        exchange.address = "127.0.0.1"
        let stream = try Self.recorded(exchange, .from("<x@victim.example>"))
        let strict = "RejectFailures yes\nIgnoreHosts csl:192.0.2.1\n"
        #expect(try #require(Self.again(stream, strict).first)[.verdict] == nil)
        exchange = Exchange()
        exchange.configuration = "SPFSelfValidate no\n"
        let other = try Self.recorded(exchange, .from("<x@victim.example>"))
        let now = try #require(Self.again(other, "RejectFailures yes\n").first)
        #expect(now.all(.unknown).contains("evil.example TXT was not asked then"))
    }

    @Test func damagedEvidenceIsHarmless() throws {
        let stream = try Self.recorded(Exchange(), .from("<x@victim.example>"))
        let entry = try #require(FlightStream.entries(in: stream).first)
        let texts = entry.all(.evidence)
        for index in texts.indices {
            for broken in [
                "", "dns", texts[index] + "\\", String(texts[index].dropLast(3)),
                "signed\t-1\t\tzz\t\t\t", "times\t0\t9223372036854775807",
            ] {
                var copy = FlightEntry(.dmarc, time: 1)
                var changed = texts
                changed[index] = broken
                let isKept = copy.add(evidence: changed.flatMap { Array($0.utf8) + [.lf] })
                #expect(isKept)
                var octets: [UInt8] = []
                FlightStream.append(copy, to: &octets)
                #expect(Self.again(octets, "").count == 1)
                // The command writes for the daemon what it has read.
                #expect(RecordedFacts(changed)?.lines.isEmpty == false)
            }
        }
        let none = FlightEntry(.dmarc, time: 1)
        var octets: [UInt8] = []
        FlightStream.append(none, to: &octets)
        #expect(Self.again(octets, "").first?[.verdict] == nil)
    }

    @Test func nothingPrivateIsKept() throws {
        var message = MailMessage.from("<x@victim.example>")
        message.fields.append(.init("Subject", " secret twice"))
        message.fields.append(
            .init("DKIM-Signature", " v=1; a=rsa-sha256; z=Subject:secret; d=evil.example; b=x"))
        let stream = try Self.recorded(Exchange(), message)
        let entry = try #require(FlightStream.entries(in: stream).first)
        #expect(!entry.all(.evidence).contains { $0.contains("secret") || $0.contains("Hello") })
    }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
