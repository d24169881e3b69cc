import Configuration
import DaemonKit
import FlightRecord
import MailDNS
import MailSyntax
import Observation
import PolicyProtocol
import TestKit
import Testing
import Threads

@testable import signet_spf

/// Answers of the record, given again.
struct PolicyReplayTests {
    private static let domains = [
        "pass.example", "fail.example", "softfail.example", "neutral.example", "none.example",
        "permerror.example", "temperror.example", "mx.example", "hosts.example",
        "evilhosts.example",
    ]

    /// What differs between two entries, but for times.
    private static func differences(_ then: FlightEntry, _ now: FlightEntry) -> [String] {
        func essence(_ entry: FlightEntry) -> [String] {
            entry.items.filter { ![.question, .step, .evidence].contains($0.key) }
                .map { "\($0.key) \($0.text)" }
        }
        return essence(now).difference(from: essence(then)).map { "\($0)" }
    }

    /// Two recipients of one message, as the record has them.
    private static func recorded(
        helo: String, sender: String, _ configuration: SPFConfiguration,
        _ resolver: ZoneResolver? = nil
    ) throws -> [UInt8] {
        let taken = Locked<[FlightEntry]>([])
        let log = Log(level: .error, collecting: { _, _ in })
        let observer = Observer(ObservationSettings(), daemon: .spf, log: log) { entry in
            taken.withLock { $0.append(entry) }
        }
        let services = Services(
            configuration: Snapshot(configuration),
            resolver: try resolver ?? World.resolver(), log: log,
            observer: observer)
        var memory = ConnectionMemory()
        for recipient in ["one@mx.example", "two@mx.example"] {
            var request = PolicyRequest()
            let values: [PolicyRequest.Attribute: String] = [
                .stage: "RCPT", .clientAddress: "192.0.2.1", .helo: helo, .sender: sender,
                .recipient: recipient, .instance: "1.2.0",
            ]
            for (attribute, value) in values { request[attribute] = Array(value.utf8) }
            var output: [UInt8] = []
            services.answer(.request(request), &memory, output: &output)
        }
        var stream: [UInt8] = []
        for entry in taken.withLock({ $0 }) { FlightStream.append(entry, to: &stream) }
        return stream
    }

    @Test func theAnswerOfThen() throws {
        let (configuration, problems) = read(
            "Mail_From_reject = Softfail\nTempError_Defer = True\n")
        try #require(!problems.hasErrors)
        var verdicts: Set<String> = []
        for helo in Self.domains {
            for sender in Self.domains.map({ "user@\($0)" }) + [""] {
                let stream = try Self.recorded(helo: helo, sender: sender, configuration)
                let output = EntryReplay.entries(of: stream, daemon: .spf) { occasion in
                    PolicyReplay.answer(occasion, configuration)
                    return []
                }
                let (then, now) = (
                    FlightStream.entries(in: stream), FlightStream.entries(in: output)
                )
                try #require(then.count == 2 && now.count == 2)
                #expect(now[0].all(.unknown) == [], "\(helo) \(sender)")
                #expect(Self.differences(then[0], now[0]) == [], "\(helo) \(sender)")
                verdicts.insert(then[0][.verdict] ?? "")
            }
        }
        #expect(verdicts.isSuperset(of: ["passed", "refused", "deferred"]))
    }

    private static let failures: [DNSFailure] = [
        .timeout, .noServer, .serverFailure(responseCode: 2), .serverFailure(responseCode: 5),
        .malformed, .bogus(reason: "no signatures"), .resolver("too much is under way"),
    ]

    /// Records that lead far, round and nowhere.
    private static let hostile = """
        loop.example.  IN TXT "v=spf1 include:loop.example -all"
        deep.example.  IN TXT "v=spf1 include:d1.example exists:%{l}.%{ir}.x.example mx ptr -all"
        d1.example.    IN TXT "v=spf1 a:g1.example a:g2.example a:g3.example redirect=d2.example"
        d2.example.    IN TXT "v=spf1 ip4:192.0.2.1 -all"
        two.example.   IN TXT "v=spf1 -all"
        two.example.   IN TXT "v=spf1 +all"
        junk.example.  IN TXT "v=spf1 ip4:999.1.1.1 \\000\\255 redirect"

        """

    private static let configurations = [
        "", "Mail_From_reject = Softfail\nTempError_Defer = True\n",
        "HELO_reject = SPF_Not_Pass\nPermError_reject = True\n",
        "Mail_From_reject = False\nHELO_reject = False\nHeader_Type = AR\n"
            + "Authserv_Id = mx.example.org\n",
        "TestOnly = 0\nMail_From_reject = SPF_Not_Pass\n", "Whitelist = 192.0.2.1\n",
    ]

    @Test func theAnswerOfThenForAThousandQuestions() throws {
        var random = SeededGenerator(seed: 7208)
        let domains =
            Self.domains
            + ["loop", "deep", "two", "junk", "voids", "explains", "d1", "gone"].map {
                "\($0).example"
            }
        let settings = try Self.configurations.map { text in
            let (configuration, problems) = read(text)
            try #require(!problems.hasErrors, "\(problems)")
            return configuration
        }
        func again(_ entry: FlightEntry, _ settings: SPFConfiguration) throws -> FlightEntry {
            var stream: [UInt8] = []
            FlightStream.append(entry, to: &stream)
            let output = EntryReplay.entries(of: stream, daemon: .spf) { occasion in
                PolicyReplay.answer(occasion, settings)
                return []
            }
            return try #require(FlightStream.entries(in: output).first)
        }
        var verdicts: [String: Int] = [:]
        var others = 0
        for number in 0..<1_000 {
            var resolver = try ZoneResolver(parsing: World.zone + "\n" + Self.hostile)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let name = (domains + ["d2.example", "g1.example"]).randomElement(using: &random)
                let failure = Self.failures.randomElement(using: &random) ?? .timeout
                resolver.fail(try DomainName(name ?? ""), with: failure)
            }
            let helo = domains.randomElement(using: &random) ?? ""
            let sender = number % 9 == 0 ? "" : "x@\(domains.randomElement(using: &random) ?? "")"
            let own = settings[number % settings.count]
            func recorded(_ settings: SPFConfiguration) throws -> FlightEntry {
                let stream = try Self.recorded(
                    helo: helo, sender: sender, settings, resolver)
                return try #require(FlightStream.entries(in: stream).first)
            }
            let then = try recorded(own)
            let now = try again(then, own)
            #expect(now.all(.unknown) == [], "\(number): \(helo) \(sender)")
            #expect(Self.differences(then, now) == [], "\(number): \(helo) \(sender)")
            verdicts[then[.verdict] ?? "", default: 0] += 1
            // What another configuration says of the record is what it says to the client.
            guard let other = settings.randomElement(using: &random) else { continue }
            let foreseen = try again(then, other)
            guard foreseen.all(.unknown).isEmpty else { continue }
            others += 1
            #expect(
                Self.differences(try recorded(other), foreseen) == [],
                "\(number): \(helo) \(sender)")
        }
        for verdict in ["passed", "refused", "deferred", "ignored"] {
            #expect(verdicts[verdict, default: 0] > 10, "\(verdicts)")
        }
        #expect(others > 500)
    }
}
