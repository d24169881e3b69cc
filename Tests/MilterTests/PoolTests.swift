import Foundation
import TestKit
import Testing

/// libmilter's pool of threads queues events that come together behind one another.
@Suite(.serialized) struct PoolTests {
    /// Runs sessions side by side that all end their headers at the same instants, every second one
    /// blocking for some seconds, and returns the waits of the others in seconds, sorted.
    private func waits(
        _ probe: Probe, blocking seconds: Double, sessions: Int = 80, rounds: Int = 2
    ) throws -> [Double] {
        let mta = probe.mta
        let results = Results()
        let group = DispatchGroup()
        let start = Date(timeIntervalSinceNow: 1)
        for number in 0..<sessions {
            let blocks = number.isMultiple(of: 2)
            let thread = Thread {
                defer { group.leave() }
                guard let connection = try? mta.connect() else { return }
                for round in 0..<rounds {
                    let name = blocks ? "X-Block" : "X-Fast"
                    try? connection.write("M", MilterWire.strings(["<a@example.net>"]))
                    try? connection.write("R", MilterWire.strings(["<b@example.org>"]))
                    try? connection.write("L", MilterWire.strings([name, " 1"]))
                    try? connection.stream.flush()
                    Thread.sleep(
                        until: start.addingTimeInterval(Double(round) * (seconds + 1)))
                    for command in ["N", "E"] as [Character] {
                        let begin = Date()
                        try? connection.write(command)
                        guard (try? connection.readFrame())?.command == "c" else { return }
                        if !blocks { results.add(Date().timeIntervalSince(begin)) }
                    }
                }
                connection.quit()
            }
            thread.stackSize = 1 << 20
            group.enter()
            thread.start()
        }
        group.wait()
        #expect(results.sorted.count == sessions / 2 * rounds * 2)
        return results.sorted
    }

    @Test func blockedSessionsDoNotHoldUpTheOthers() throws {
        let probe = try Probe("events=header,endOfHeader", "replies=endOfHeader", "block=3")
        // Nobody has waited until a session that blocks was done. How short the waits are is what the benchmark measures.
        #expect(try #require(waits(probe, blocking: 3).last) < 3)
    }

    @Test(arguments: [Probe.Transport.unix, .inet, .inet6])
    func theRemedyIsInPlaceWithoutBeingSeen(transport: Probe.Transport) throws {
        let probe = try Probe("events=header", over: transport)
        _ = try probe.mta.deliver(hello)
        try probe.settle()
        probe.process.tell("count")
        _ = try probe.process.line("count 0")
        #expect(!probe.process.lines.contains { $0.hasPrefix("problem") })
    }
}

/// Measurements of several threads.
private final class Results: @unchecked Sendable {
    // Behind `lock`.
    private var values: [Double] = []
    private let lock = NSLock()

    var sorted: [Double] { lock.withLock { values.sorted() } }

    func add(_ value: Double) {
        lock.withLock { values.append(value) }
    }
}
