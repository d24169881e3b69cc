import ConnectionServer
import Glibc
import Testing
import Threads

@Suite(.serialized)
struct LimitTests {
    private func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = ConnectionLimits()
        change(&limits)
        return limits
    }

    @Test func beyondTheLimitConnectionsWait() throws {
        let server = try LineServer(limits: limits { $0.connections = 2 })
        var clients = try (0..<3).map { _ in try server.client() }
        for client in clients { try client.send("hello\n") }
        #expect(try clients[0].readLine() == "hello")
        #expect(try clients[1].readLine() == "hello")
        #expect(server.wait { !$0.problems.isEmpty })
        #expect(server.counts.withLock { $0.begun } == 2)
        let last = clients.removeLast()
        clients = []
        #expect(try last.readLine() == "hello")
        #expect(server.counts.withLock { $0.problems.count } == 1)
    }

    @Test func beyondTheLimitOfThreadsConnectionsWait() throws {
        let server = try LineServer(limits: limits { $0.threads = 3 })
        let clients = try (0..<6).map { number in
            let client = try server.client()
            try client.send("wait \(number)\n")
            return client
        }
        #expect(server.wait { $0.waiting == 3 && !$0.problems.isEmpty })
        server.gate.open()
        for (number, client) in clients.enumerated() {
            #expect(try client.readLine() == "wait \(number)")
        }
    }

    @Test func closesWhoFillsTheMemory() throws {
        let server = try LineServer(limits: limits { $0.bufferedOctets = 100_000 })
        let modest = try server.client()
        try modest.send("half")
        let greedy = try server.client()
        // The server closes before everything is sent.
        try? greedy.send([UInt8](repeating: UInt8(ascii: "x"), count: 4_000_000))
        #expect(greedy.isClosed())
        #expect(server.wait { !$0.problems.isEmpty })
        try modest.send(" and half\n")
        #expect(try modest.readLine() == "half and half")
    }

    @Test func closesWhoDoesNotRead() throws {
        let server = try LineServer(limits: limits { $0.writeSeconds = 0.05 })
        let client = try server.client()
        try client.send("big 20000000\n")
        #expect(server.wait { $0.ended == 1 && $0.problems.count == 1 })
    }

    @Test func closesIdleConnections() throws {
        let server = try LineServer(limits: limits { $0.idleSeconds = 0.05 })
        let client = try server.client()
        try client.send("hello\n")
        #expect(try client.readLine() == "hello")
        #expect(client.isClosed())
    }

    @Test func toldOfTheEndOfItsTime() throws {
        let server = try LineServer(limits: limits { $0.busySeconds = 0.05 })
        let client = try server.client()
        try client.send("half")
        #expect(try client.readLine() == "late")
        #expect(client.isClosed())
    }

    /// Octets that complete nothing do not extend the time.
    @Test func closesWhoSendsAnOctetNowAndThen() throws {
        let server = try LineServer(limits: limits { $0.busySeconds = 0.2 })
        let client = try server.client()
        startThread {
            for _ in 0..<2_000 {
                guard (try? client.send("x")) != nil else { return }
                usleep(10_000)
            }
        }
        #expect(try client.readLine() == "late")
    }
}
