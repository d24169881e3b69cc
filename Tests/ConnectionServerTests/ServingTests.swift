import ConnectionServer
import Glibc
import Testing
import Threads

@Suite(.serialized)
struct ServingTests {
    @Test(arguments: Address.kinds)
    func answersWhateverTheCuts(_ kind: Address.Kind) throws {
        let server = try LineServer([kind])
        let client = try server.client()
        for octet in "one\ntwo\n".utf8 { try client.send([octet]) }
        #expect(try client.readLine() == "one")
        #expect(try client.readLine() == "two")
        try client.send("three\nfour\nclose\n")
        #expect(try client.read(exactly: 17) == Array("three\nfour\nclose\n".utf8))
        #expect(client.isClosed())
        #expect(server.wait { $0.ended == 1 })
    }

    @Test func servesSeveralSocketsAndServersAtOnce() throws {
        let first = try LineServer([.unix, .tcp, .unix])
        let second = try LineServer([.tcp])
        for (server, index) in [(first, 0), (first, 1), (first, 2), (second, 0)] {
            let client = try server.client(index)
            try client.send("hello \(index)\n")
            #expect(try client.readLine() == "hello \(index)")
        }
        #expect(first.drained() == true)
        let client = try second.client()
        try client.send("still here\n")
        #expect(try client.readLine() == "still here")
    }

    /// The output of one call leaves in one write: over a unix socket it arrives as such.
    @Test func writesTheOutputOfOneCallAtOnce() throws {
        let server = try LineServer()
        let client = try server.client()
        try client.send("a\nb\nc\n")
        #expect(try client.read() == Array("a\nb\nc\n".utf8))
    }

    @Test func waitingHandlersHoldUpNobody() throws {
        let server = try LineServer()
        let waiting = try (0..<200).map { number in
            let client = try server.client()
            try client.send("wait \(number)\n")
            return client
        }
        #expect(server.wait { $0.waiting == 200 })
        // All 200 are still waiting when the others are answered.
        for number in 0..<20 {
            let client = try server.client()
            try client.send("quick \(number)\n")
            #expect(try client.readLine() == "quick \(number)")
        }
        #expect(server.counts.withLock { $0.waiting } == 200)
        server.gate.open()
        for (number, client) in waiting.enumerated() {
            #expect(try client.readLine() == "wait \(number)")
        }
    }

    @Test(arguments: Address.kinds)
    func slowReaderHoldsNoThreadAndGetsEverything(_ kind: Address.Kind) throws {
        var limits = ConnectionLimits()
        limits.threads = 2
        let server = try LineServer([kind], limits: limits)
        let slow = try (0..<8).map { _ in
            let client = try server.client()
            try client.send("big 2000000\nnext\n")
            return client
        }
        let quick = try server.client()
        try quick.send("quick\n")
        #expect(try quick.readLine() == "quick")
        for client in slow {
            let octets = try client.read(exactly: 2_000_000)
            #expect(octets.count == 2_000_000)
            #expect(octets.allSatisfy { $0 == UInt8(ascii: "x") })
            #expect(try client.readLine() == "next")
        }
    }

    /// A client that sends and then closes its direction still gets its answer.
    @Test(arguments: Address.kinds)
    func answersAfterTheClientsLastWord(_ kind: Address.Kind) throws {
        let server = try LineServer([kind])
        let client = try server.client()
        try client.send("last\n")
        client.finishSending()
        #expect(try client.readLine() == "last")
        #expect(client.isClosed())
        #expect(server.wait { $0.ended == 1 })
    }

    @Test func endsEachHandlerOnce() throws {
        let server = try LineServer([.unix, .tcp])
        try parallel(8) { thread in
            for round in 0..<40 {
                let client = try server.client(round % 2)
                let isAbrupt = (thread + round) % 3 == 0
                try client.send(isAbrupt ? "big 3000000\n" : "close \(round)\n")
                if !isAbrupt { #expect(try client.readLine() == "close \(round)") }
            }
        }
        #expect(server.drained() == true)
        let counts = server.counts.withLock { $0 }
        #expect(counts.begun == 320)
        #expect(counts.ended == 320)
        #expect(counts.endedTwice == 0)
        #expect(counts.usedAfterEnd == 0)
        #expect(server.server.connectionCount == 0)
    }
}

/// Runs a body on several threads, and waits for all of them.
func parallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let state = Monitor((left: count, failures: [String]()))
    for number in 0..<count {
        startThread {
            var failure: String?
            do { try body(number) } catch { failure = "\(error)" }
            state.update { state in
                state.left -= 1
                if let failure { state.failures.append(failure) }
            }
        }
    }
    let failures = state.wait(until: .now() + 60) { $0.left == 0 ? $0.failures : nil }
    #expect(failures == [])
}
