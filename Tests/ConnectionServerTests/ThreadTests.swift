import Glibc
import Testing
import Threads

@testable import ConnectionServer

/// Which threads stay when a burst is over.
@Suite struct ThreadTests {
    /// A burst of connections, each of which takes a thread, and then none.
    private func burst(_ count: Int, _ state: inout ServerState) {
        for _ in 0..<count { _ = state.take(Poller.wake + 1, mostThreads: 1_024) }
    }

    @Test func threadsOfABurstWaitForTheNext() {
        var state = ServerState()
        state.addThread()
        burst(8, &state)
        #expect(state.threads == 9)
        let steps = (0..<8).map { _ in state.nextStep() }
        #expect(steps.map { $0 == .wait } == [true, true, true] + repeatElement(false, count: 5))
        #expect(!steps.contains { $0 == .leave })
        // The next burst needs no further thread.
        burst(8, &state)
        #expect(state.threads == 9)
    }

    @Test func threadsLeaveWhenNothingComes() {
        var state = ServerState()
        state.addThread()
        burst(8, &state)
        for _ in 0..<8 { _ = state.nextStep() }
        let steps = (0..<9).map { _ in state.nothingCame() }
        #expect(steps == Array(repeating: .leave, count: 5) + Array(repeating: .wait, count: 4))
    }

    @Test func thoseOfALargeBurstLeaveAtOnce() {
        var state = ServerState()
        state.addThread()
        burst(200, &state)
        let steps = (0..<200).map { _ in state.nextStep() }
        #expect(steps.count { $0 == .leave } == 169)
    }

    @Test func fewThreadsAreLeftAfterABurst() throws {
        let server = try LineServer()
        let clients = try (0..<40).map { number in
            let client = try server.client()
            try client.send("wait \(number)\n")
            return client
        }
        #expect(server.wait { $0.waiting == 40 })
        server.gate.open()
        for (number, client) in clients.enumerated() {
            #expect(try client.readLine() == "wait \(number)")
        }
        let deadline = MonotonicTime.now() + 20
        while server.server.state.withLock({ $0.threads }) > 4, MonotonicTime.now() < deadline {
            usleep(50_000)
        }
        #expect(server.server.state.withLock { $0.threads } <= 4)
    }
}
