import Foundation
import TestKit
import Testing
import Threads

/// Mail flows, a thousand messages a minute, while keys rotate three times.
///
/// Every message verifies when it arrives, and when a queue's life has passed. With `Tests/rotation` by each method and behind a secondary that lags by a minute.
@Suite(.enabled(if: PrivateServers.areInstalled, "knot, nsd or nsupdate is not installed"))
struct RotationFlowTests {
    /// Sends messages at an even pace until it is told to stop.
    private final class Sender: Sendable {
        private let state = Locked((isOver: false, sent: 0, faults: [String](), hasEnded: false))

        init(_ host: RotatingHost, perMinute: Int) {
            BackgroundThread.start {
                do {
                    try self.run(host, pause: 60 / Double(perMinute))
                } catch {
                    self.state.withLock { $0.faults.append("\(error)") }
                }
                self.state.withLock { $0.hasEnded = true }
            }
        }

        private func run(_ host: RotatingHost, pause: Double) throws {
            let client = try host.signing.postfix.connect()
            try client.ehlo()
            var next = MonotonicTime.now()
            while !state.withLock({ $0.isOver }) {
                let number = state.withLock { $0.sent }
                let reply = try client.deliver(
                    from: "ann@example.org", to: ["bob@example.com"],
                    SigningHost.message("flow-\(number)"))
                guard reply.isPositive else { throw TestKitError("\(reply)") }
                state.withLock { $0.sent += 1 }
                next = next + pause
                let left = next.seconds(since: .now())
                if left > 0 { usleep(useconds_t(left * 1_000_000)) }
            }
            try client.quit()
        }

        /// Stops, and returns how many messages were sent.
        func stop() throws -> Int {
            state.withLock { $0.isOver = true }
            return try wait(for: "the last message to be sent", seconds: 60) { () -> Int? in
                let state = state.withLock { $0 }
                #expect(state.faults == [])
                return state.hasEnded ? state.sent : nil
            }
        }
    }

    private static var methods: [RotationMethodSetting.Method] {
        RotationPace.long == nil ? [.zonefile, .cname] : RotationMethodSetting.Method.allCases
    }

    @Test(arguments: methods)
    func `every message verifies while keys rotate three times`(
        _ method: RotationMethodSetting.Method
    ) throws {
        let pace = RotationPace.long ?? RotationPace()
        let setting = try RotationMethodSetting(method, pace)
        let host = setting.host
        var ticks = 0
        var seen: Set<String> = []
        /// Runs the command as the timer does, and kills it in its middle once in four times, until something holds.
        func rotate(until isDone: () throws -> Bool) throws {
            _ = try wait(for: "\(method) to rotate", seconds: pace.patience) { () -> Bool? in
                ticks += 1
                if ticks % 4 == 0 {
                    try host.signetKilled("rotate", after: UInt32(ticks * 7_919 % 150_000))
                }
                try setting.obey(try host.signet("rotate").output)
                seen.formUnion(try host.signers())
                usleep(useconds_t(min(pace.lag, 10) * 100_000))
                return try isDone() ? true : nil
            }
        }
        let first = try host.signet("rotate", "example.org", "--type", "both")
        try setting.obey(first.output)
        try rotate { try host.signers().count == 2 }
        let receiver = try RotationReceiver(
            host.signing.sink, setting.servers, later: Double(pace.queueLifetime)
        ) { (try? host.selectors()) ?? [] }
        let sender = Sender(host, perMinute: pace.perMinute)
        // A round of two selectors in turn takes as long as three of others.
        for _ in 0..<(method == .cname ? pace.fixedRounds : pace.rounds) {
            let before = Set(try host.signers())
            try setting.obey(try host.signet("rotate", "example.org").output)
            try rotate { try before.isDisjoint(with: host.signers()) }
            // Two selectors that are used in turn are free again only when the key before is withdrawn.
            if method == .cname { try rotate { try host.selectors().count == 2 } }
        }
        try rotate { try host.selectors().count == 2 }
        let sent = try sender.stop()
        let tally = try receiver.finish(seconds: 60 + Double(pace.queueLifetime))
        #expect(tally.faults == [])
        #expect(tally.arrived == sent && tally.later == sent && sent > 100)
        // Mail was signed with every key there was.
        #expect(tally.selectors == seen)
        #expect(try host.daemon.stop() == .exited(0))
        if RotationPace.long != nil {
            print("\(method): \(sent) messages, \(seen.sorted()), \(ticks) runs of the command")
        }
    }
}
