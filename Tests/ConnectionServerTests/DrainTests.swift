import ConnectionServer
import Glibc
import Testing
import Threads

@Suite(.serialized)
struct DrainTests {
    @Test func closesWhatIsIdle() throws {
        let server = try LineServer([.unix, .tcp])
        let clients = try [0, 1].map { index in
            let client = try server.client(index)
            try client.send("hello\n")
            #expect(try client.readLine() == "hello")
            return client
        }
        #expect(server.drained() == true)
        for client in clients { #expect(client.isClosed()) }
        #expect(throws: SocketFailure.self) { try server.client() }
    }

    @Test func finishesWhatIsUnderWay() throws {
        let server = try LineServer()
        let waiting = try server.client()
        try waiting.send("wait\n")
        #expect(server.wait { $0.waiting == 1 })
        let half = try server.client()
        try half.send("half")
        #expect(server.wait { $0.calls == 2 })
        server.server.drain()
        try half.send(" and half\n")
        #expect(try half.readLine() == "half and half")
        #expect(server.counts.withLock { $0.isFinished } == nil)
        server.gate.open()
        #expect(try waiting.readLine() == "wait")
        #expect(server.drained() == true)
    }

    /// What was sent before the drain is answered, though nobody has read it yet.
    @Test(arguments: Address.kinds)
    func answersWhatWaitsInTheKernel(_ kind: Address.Kind) throws {
        let server = try LineServer([kind], runs: false)
        let clients = try (0..<50).map { number in
            let client = try server.client()
            try client.send("early \(number)\n")
            return client
        }
        server.server.drain()
        server.start()
        for (number, client) in clients.enumerated() {
            #expect(try client.readLine() == "early \(number)")
            #expect(client.isClosed())
        }
        #expect(server.drained() == true)
    }

    /// A socket that systemd holds too keeps its queue for the next process.
    @Test func leavesTheQueueToOthers() throws {
        let (descriptor, address) = try Address.listen(.unix)
        let copy = dup(descriptor)
        let counts = Monitor(LineServer.Counts())
        let server = try ConnectionServer(
            listening: [copy], othersListen: true, limits: ConnectionLimits(),
            onProblem: { _ in }, handler: { LineHandler(counts: counts, gate: Latch()) })
        let client = try Client(address)
        server.drain()
        #expect(server.run())
        try client.send("hello\n")
        let next = try ConnectionServer(
            listening: [descriptor], limits: ConnectionLimits(), onProblem: { _ in },
            handler: { LineHandler(counts: counts, gate: Latch()) })
        startThread { next.run() }
        defer { next.drain() }
        #expect(try client.readLine() == "hello")
    }

    @Test func cutsOffWhatTakesTooLong() throws {
        var limits = ConnectionLimits()
        limits.drainSeconds = 0.1
        let server = try LineServer(limits: limits)
        let client = try server.client()
        try client.send("half")
        #expect(server.wait { $0.calls == 1 })
        #expect(server.drained() == false)
        #expect(client.isClosed())
        #expect(server.counts.withLock { $0.problems.count } == 1)
    }

    @Test func doesNotWaitForTheSilent() throws {
        var limits = ConnectionLimits()
        limits.drainNewSeconds = 0.05
        let server = try LineServer(limits: limits)
        let client = try server.client()
        #expect(server.wait { $0.begun == 1 })
        #expect(server.drained() == true)
        #expect(client.isClosed())
    }

    /// Clients ask one question after the other while the server is drained: a question is answered,
    /// or the connection was closed before it was read.
    @Test(arguments: Address.kinds, 0..<5)
    func losesNothing(_ kind: Address.Kind, _ round: Int) throws {
        let server = try LineServer([kind])
        startThread {
            _ = server.wait { $0.calls > 200 * (round + 1) }
            server.server.drain()
        }
        let answered = Locked(0)
        try parallel(8) { thread in
            guard let client = try? server.client() else { return }
            for number in 0... {
                guard (try? client.send("\(thread) \(number)\n")) != nil else { return }
                let line = (try? client.readLine()) ?? ""
                if line.isEmpty { return }
                #expect(line == "\(thread) \(number)")
                answered.withLock { $0 += 1 }
            }
        }
        #expect(server.drained() == true)
        let counts = server.counts.withLock { $0 }
        #expect(counts.calls == answered.withLock { $0 })
        #expect(counts.begun == counts.ended)
    }
}
