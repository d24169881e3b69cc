import Foundation
import MailAuth
import MailDNS
import ReportStore
import Synchronization
import TestKit
import Testing

@testable import Reports

/// Several hosts that share one PostgreSQL: whichever is first sends, and no report is sent twice.
@Suite struct SharedStoreTests {
    /// What takes mail from both hosts.
    private final class SharedSink: MailHandover, Sendable {
        private let taken = Mutex<[String]>([])

        var mails: [String] { taken.withLock { $0 } }

        func send(
            _ mail: String, from sender: String, to recipient: String
        ) throws(ReportError) -> HandoverOutcome {
            taken.withLock { $0.append(mail) }
            return .taken
        }
    }

    /// The runs of all hosts, and what they came to.
    private final class Tally: Sendable {
        private let state = Mutex((runs: 0, claims: 0, ended: 0))

        var runs: Int { state.withLock { $0.runs } }
        var claims: Int { state.withLock { $0.claims } }
        var ended: Int { state.withLock { $0.ended } }

        func begin() -> Int {
            state.withLock {
                $0.runs += 1
                return $0.runs - 1
            }
        }
        func claim() { state.withLock { $0.claims += 1 } }
        func end() { state.withLock { $0.ended += 1 } }
    }

    private static let runs = 1000
    private static let days = 20
    private static let domains = 5

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `a thousand runs that race send every report once`() throws {
        let address = try #require(PostgreSQLServer.shared).makeDatabase()
        let store = PostgreSQLReportStore(address: address)
        let first = ReportTests.day - Int64(Self.days)
        for day in 0..<Self.days {
            try store.write(
                (0..<Self.domains).map { number in
                    ReportTests.sample {
                        $0.received = (first + Int64(day)) * 86_400
                        $0.policy = Evaluation.Policy(
                            domain: "d\(number).example", applied: "none", p: "none",
                            reportAddresses: ["mailto:d@d\(number).example"])
                    }
                })
        }
        let (sink, tally) = (SharedSink(), Tally())
        for _ in 0..<2 {
            BackgroundThread.start {
                while case let run = tally.begin(), run < Self.runs {
                    do {
                        try Self.run(address, first + Int64(run % Self.days), sink, tally)
                    } catch {
                        Issue.record("\(error)")
                    }
                }
                tally.end()
            }
        }
        _ = try wait(for: "both hosts", seconds: 300) { tally.ended == 2 ? true : nil }
        #expect(sink.mails.count == Self.days * Self.domains)
        #expect(Set(sink.mails).count == sink.mails.count)
        // Some came too late, which is what the race is about.
        #expect((1...Self.runs).contains(tally.claims))
        var states: [DeliveryState] = []
        try PostgreSQLReportOutbox(address: address).deliveries { states.append($0.state) }
        #expect(states == Array(repeating: .sent, count: Self.days * Self.domains))
    }

    /// One run of one host.
    private static func run(
        _ address: String, _ day: Int64, _ sink: SharedSink, _ tally: Tally
    ) throws {
        let outbox = try PostgreSQLReportOutbox(address: address)
        guard try outbox.claim() else { return }
        tally.claim()
        let store = PostgreSQLReportStore(address: address)
        _ = try ReportComposer(
            from: store, to: outbox, by: ReportTests.reporter, except: ReportExclusions()
        ).compose(day, finishes: false, at: SendingTests.morning)
        _ = try ReportSender(
            outbox, by: ReportTests.reporter, except: ReportExclusions(),
            resolver: ZoneResolver(), options: DMARCOptions(), handover: sink
        ).run(now: { SendingTests.morning })
    }
}
