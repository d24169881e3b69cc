import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Testing
import Threads

/// "MTAs or other processors SHOULD impose a limit on the maximum amount of elapsed time to evaluate check_host(). Such a limit
/// SHOULD allow at least 20 seconds." (RFC 7208, section 4.6.4)
struct SlowAnswerTests {
    /// A zone whose answers take so many seconds each, on a clock of its own.
    private final class SlowZone: DNSResolver {
        private let zone: ZoneResolver
        private let seconds: Double
        private let clock = Locked(MonotonicTime.now())

        init(_ zone: ZoneResolver, seconds: Double) {
            self.zone = zone
            self.seconds = seconds
        }

        var time: TimeSource {
            TimeSource(now: { [clock] in clock.withLock { $0 } }, seconds: { 0 })
        }

        func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
            let isInTime = clock.withLock { now in
                let due = now + seconds
                now = min(due, deadline)
                return due <= deadline
            }
            guard isInTime else { return .ready(.failure(.timeout)) }
            return zone.begin(question, deadline: .distantFuture)
        }
    }

    /// The limits of signet-spf and those of signet-dmarc, as installed.
    private static let limits = [SPFLimits(), SPFLimits(answerSeconds: 5)]

    @Test(arguments: limits, [(4.9, SPFResult.pass), (5.1, .temperror)])
    func `slow servers have twenty seconds together`(
        _ limits: SPFLimits, _ expected: (seconds: Double, result: SPFResult)
    ) throws {
        let zone = try ZoneResolver(
            parsing: """
                slow.example. TXT "v=spf1 include:a.example include:b.example include:c.example ip4:192.0.2.1 -all"
                a.example. TXT "v=spf1 -all"
                b.example. TXT "v=spf1 -all"
                c.example. TXT "v=spf1 -all"
                """)
        let slow = SlowZone(zone, seconds: expected.seconds)
        let client = try #require(IPAddress("192.0.2.1"))
        let outcome = SPFEvaluator(resolver: slow, time: slow.time, limits: limits).check(
            .mailFrom(Array("ann@slow.example".utf8), helo: [], client: client))
        #expect(outcome.result == expected.result, "\(outcome)")
    }
}
