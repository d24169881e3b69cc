import DaemonKit
import FlightRecord
import MailDNS
import MailSyntax
import Milter
import Observation
import SessionTestKit
import TestKit
import Testing
import Threads

@testable import signet_dkim

/// Decisions of the record, taken again: the verdict of then, whatever the DNS said, and that of another
/// configuration.
struct DKIMReplayTests {
    private static let failures: [DNSFailure] = [
        .timeout, .noServer, .serverFailure(responseCode: 2), .serverFailure(responseCode: 5),
        .malformed, .bogus(reason: "no signatures"), .resolver("too much is under way"),
    ]

    /// Records that are no keys, or keys of a kind.
    private static let records = [
        "v=DKIM1; p=", "v=DKIM1; k=rsa", "v=DKIM2; p=AAAA", "v=DKIM1; k=rsa; p=AAAA", "junk",
        "v=DKIM1; t=y; p=!", "v=DKIM1; h=sha1; p=", "p=\u{FF};;", "",
    ]

    private static let configurations = [
        "", "On-BadSignature reject\nOn-KeyNotFound quarantine\n",
        "On-Default tempfail\nMinimumKeyBits 4096\n", "On-DNSError accept\nBogusKey none\n",
        "UnprotectedKey fail\nOn-BadSignature discard\nAlwaysAddARHeader yes\n",
        "MustBeSigned Subject\nMaximumSignaturesToVerify 1\nOn-BadSignature reject\n",
        "TrustSignaturesFrom other.example\nOn-NoSignature reject\n",
    ]

    /// What was found and done differently.
    private static func differences(_ then: FlightEntry, _ now: FlightEntry) -> [String] {
        func essence(_ entry: FlightEntry) -> [String] {
            entry.items.filter { ![.question, .step, .evidence, .generation].contains($0.key) }
                .map { "\($0.key) \($0.text)" }
        }
        return essence(now).difference(from: essence(then)).map { "\($0)" }
    }

    /// What the session records of a message.
    private static func recorded(
        _ message: MailMessage, _ configuration: String, _ zone: ZoneResolver
    ) throws -> FlightEntry {
        let taken = Locked<[FlightEntry]>([])
        var exchange = try Exchange(configuration, zone: zone)
        exchange.observer = Observer(
            ObservationSettings(), daemon: .dkim, log: Log(level: .error, collecting: { _, _ in })
        ) { entry in taken.withLock { $0.append(entry) } }
        _ = try exchange.pass(message)
        return try #require(taken.withLock { $0 }.first)
    }

    /// Nothing was decided; a message that was complete is not told twice, whatever the MTA says after it.
    @Test func `a message that ended early is recorded as that`() throws {
        let taken = Locked<[FlightEntry]>([])
        var exchange = try Exchange()
        exchange.observer = Observer(
            ObservationSettings(), daemon: .dkim, log: Log(level: .error, collecting: { _, _ in })
        ) { entry in taken.withLock { $0.append(entry) } }
        let session = try exchange.session(Lines())
        exchange.connect(session)
        _ = exchange.deliver(.plain, session)
        session.abort(MilterMacros())
        #expect(taken.withLock { $0.map { $0[.verdict] } } == ["passed"])
        let macros = MilterMacros(["i": "4XyZ", "tls_version": "TLSv1.3"])
        _ = session.mail(Array("<ann@example.org>".utf8).span, parameters: [], macros)
        session.abort(macros)
        #expect(taken.withLock { $0 }.count == 1)
        _ = session.mail(Array("<ann@example.org>".utf8).span, parameters: [], macros)
        _ = session.recipient(Array("<bob@example.net>".utf8).span, parameters: [], macros)
        session.abort(macros)
        let entry = try #require(taken.withLock { $0 }.last)
        #expect(taken.withLock { $0 }.count == 2)
        #expect(entry[.verdict] == "aborted" && entry[.queueID] == "4XyZ")
        #expect(entry[.sender] == "ann@example.org" && entry[.recipient] == "bob@example.net")
        #expect(entry[.tls] == "TLSv1.3" && entry[.clientAddress] == "192.0.2.1")
        #expect(entry.all(.signature).isEmpty && entry[.reply] == nil)
    }

    private static func again(_ entry: FlightEntry, _ configuration: String) throws -> FlightEntry {
        var stream: [UInt8] = []
        FlightStream.append(entry, to: &stream)
        let settings = read(configuration).configuration
        let output = EntryReplay.entries(of: stream, daemon: .dkim) {
            DKIMReplay.decide($0, settings)
        }
        return try #require(FlightStream.entries(in: output).first)
    }

    /// Messages that are signed in every way.
    private static func signedMessages() throws -> [MailMessage] {
        let keys = try Keys.shared.get()
        return try [
            "", "Canonicalization relaxed/relaxed\n", "Canonicalization simple/relaxed\n",
            "Diagnostics yes\n", "SignatureTTL 3600\n", "OversignHeaders From,Subject\n",
            "SelectorEd25519 ed\nKeyFileEd25519 \(keys.ed25519Path)\n",
        ].map { try MailMessage.plain.signed($0) }
    }

    /// One of them, as it may arrive.
    private static func message(
        _ signed: [MailMessage], _ random: inout SeededGenerator
    ) -> MailMessage {
        var message = signed.randomElement(using: &random) ?? .plain
        if Int.random(in: 0..<8, using: &random) == 0 { message = .plain }
        if Int.random(in: 0..<6, using: &random) == 0,
            let other = signed.randomElement(using: &random)?.fields.first
        {
            message.fields.insert(other, at: 0)
        }
        func replace(_ name: String, _ old: String, _ new: String) {
            for index in message.fields.indices where message.fields[index].name == name {
                let value = String(decoding: message.fields[index].value, as: UTF8.self)
                message.fields[index].value = Array(value.replacing(old, with: new).utf8)
            }
        }
        switch Int.random(in: 0..<14, using: &random) {
        case 0: message.body += Array("-- \r\nlist\r\n".utf8)
        case 1: replace("Subject", "Hello", "[list] Hello")
        case 2: replace("DKIM-Signature", "d=example.org", "d=other.example")
        case 3: replace("DKIM-Signature", "s=mail", "s=lost")
        case 4: replace("DKIM-Signature", "b=", "b=AA")
        case 5: replace("DKIM-Signature", "v=1", "v=2")
        case 6: replace("DKIM-Signature", "bh=", "l=3; bh=")
        case 7: message = message.adding(("From", "Eve <eve@other.example>"))
        case 8: message = message.adding(("Authentication-Results", "mx.example.org; dkim=pass"))
        case 9: message = message.without("Message-ID")
        case 10: message = message.adding(("DKIM-Signature", "v=1; z=Subject:x; \0\u{80}"))
        default: break
        }
        return message
    }

    private static func zone(_ random: inout SeededGenerator) throws -> ZoneResolver {
        let status = [DNSSECStatus.insecure, .secure].randomElement(using: &random) ?? .insecure
        var zone = try Keys.shared.get().zone(status)
        let name =
            [
                "mail._domainkey.example.org", "ed._domainkey.example.org",
                "mail._domainkey.other.example",
            ].randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            let failure = failures.randomElement(using: &random) ?? .timeout
            zone.fail(try DomainName(name), .txt, with: failure)
        case 1:
            zone = ZoneResolver(status: status)
            zone.add(try Keys.txt(name, records.randomElement(using: &random) ?? ""))
        case 2: zone = ZoneResolver(status: status)
        default: break
        }
        return zone
    }

    @Test func theVerdictOfThenForAThousandMessages() throws {
        var random = SeededGenerator(seed: 6376)
        let signed = try Self.signedMessages()
        var verdicts: [String: Int] = [:]
        var others = 0
        for number in 0..<1_000 {
            let configuration = Self.configurations[number % Self.configurations.count]
            let message = Self.message(signed, &random)
            let zone = try Self.zone(&random)
            let then = try Self.recorded(message, configuration, zone)
            let now = try Self.again(then, configuration)
            #expect(now.all(.unknown) == [], "\(number)")
            #expect(Self.differences(then, now) == [], "\(number)")
            verdicts[then[.verdict] ?? "", default: 0] += 1
            // What another configuration says of the record is what it says of the message.
            guard let other = Self.configurations.randomElement(using: &random) else { continue }
            let foreseen = try Self.again(then, other)
            guard foreseen.all(.unknown).isEmpty else { continue }
            others += 1
            let differences = Self.differences(
                try Self.recorded(message, other, zone), foreseen)
            #expect(differences == [], "\(number): \(configuration) to \(other)")
        }
        for verdict in ["passed", "refused", "held", "deferred", "discarded"] {
            #expect(verdicts[verdict, default: 0] > 10, "\(verdicts)")
        }
        #expect(others > 500)
    }

    @Test func signingIsForeseen() throws {
        let keys = try Keys.shared.get()
        let zone = try keys.zone()
        let then = try Self.recorded(.plain, ours("Domain other.example\n" + keys.single), zone)
        let other = ours(keys.twins)
        let now = try Self.again(then, other)
        #expect(now[.verdict] == "signed")
        #expect(now.all(.signature).count == 2)
        #expect(Self.differences(try Self.recorded(.plain, other, zone), now) == [])
        let foreign = try Self.again(then, "InternalHosts 198.51.100.1\n" + keys.single)
        #expect(foreign[.verdict] == "passed")
    }
}
