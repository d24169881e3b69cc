import Foundation
import TestKit
import Testing

@Suite(.serialized) struct DrainTests {
    @Test(arguments: [Probe.Transport.unix, .inet, .inet6])
    func anIdleServerStopsAtOnce(transport: Probe.Transport) throws {
        let probe = try Probe("events=all", "drain=3600", over: transport)
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        try probe.settle()
        probe.process.tell("drain")
        #expect(try probe.process.waitForExit() == 0)
        #expect(throws: StreamError.refused(ECONNREFUSED)) { try probe.mta.connect() }
    }

    @Test func liveConnectionsFinishAndNewOnesAreRefused() throws {
        let probe = try Probe("events=all", "replies=all")
        let connection = try probe.mta.connect()
        #expect(try connection.deliver(hello).decision == .accepted)
        probe.process.tell("drain")
        Thread.sleep(forTimeInterval: 0.2)
        #expect(throws: StreamError.self) {
            var mta = probe.mta
            mta.timeout = 0.3
            _ = try mta.connect()
        }
        for _ in 0..<3 { #expect(try connection.deliver(hello).decision == .accepted) }
        #expect(probe.process.isRunning)
        connection.quit()
        #expect(try probe.process.waitForExit() == 0)
        #expect(probe.process.lines.last == "end")
        #expect(probe.events().last == "deinit")
    }

    @Test func theLimitEndsTheWait() throws {
        let probe = try Probe("events=all", "drain=1")
        let connection = try probe.mta.connect()
        #expect(try connection.deliver(hello).decision == .accepted)
        probe.process.tell("drain")
        #expect(try probe.process.waitForExit() == 0)
        #expect(try probe.process.line("problem").contains("did not finish within 1 s"))
        connection.close()
    }

    /// The connection has been accepted, and nothing has come on it yet.
    @Test(arguments: [Probe.Transport.unix, .inet, .inet6])
    func whoHasOnlyConnectedIsServed(transport: Probe.Transport) throws {
        let probe = try Probe("events=all", "replies=all", over: transport)
        var mta = probe.mta
        mta.delays["O"] = 0.4
        let process = probe.process
        let drain = Thread {
            Thread.sleep(forTimeInterval: 0.1)
            process.tell("drain")
        }
        drain.start()
        let connection = try mta.connect()
        #expect(try connection.deliver(hello).decision == .accepted)
        connection.quit()
        #expect(try probe.process.waitForExit() == 0)
    }

    @Test func whoNeverSpeaksHoldsUpNobody() throws {
        let probe = try Probe("events=all", "drain=3600")
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        let silent = try StreamSocket(probe.address)
        probe.process.tell("drain")
        #expect(try probe.process.waitForExit() == 0)
        silent.close()
    }
}
