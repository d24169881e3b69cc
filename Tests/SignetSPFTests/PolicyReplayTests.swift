import Configuration
import DaemonKit
import FlightRecord
import Observation
import PolicyProtocol
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
        helo: String, sender: String, _ configuration: SPFConfiguration
    ) throws -> [UInt8] {
        let taken = Locked<[FlightEntry]>([])
        let log = Log(level: .error, collecting: { _, _ in })
        let observer = Observer(ObservationSettings(), daemon: .spf, log: log) { entry in
            taken.withLock { $0.append(entry) }
        }
        let services = Services(
            configuration: Snapshot(configuration), resolver: try World.resolver(), log: log,
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
}
