import Foundation
import TestKit
import Testing

/// Whoever may connect sends what no MTA does, over either transport: others are served.
///
/// libmilter alone dies of a macro without a value.
@Suite(.serialized) struct HostileClientTests {
    private static let answering = ["events=all", "replies=all"]

    @Test(arguments: ["native", "libmilter"], [Probe.Transport.unix, .inet])
    func aMalformedFrameEndsItsConnectionAlone(
        transport: String, socket: Probe.Transport
    ) throws {
        try patiently(transport) { try playMalformedFrames(transport, over: socket) }
    }

    private func playMalformedFrames(_ transport: String, over socket: Probe.Transport) throws {
        let probe = try Probe(Self.answering + ["transport=\(transport)"], over: socket)
        let bystander = try probe.mta.connect()
        #expect(try bystander.deliver(hello).decision == .accepted)
        var sessions = 1
        for frame in MalformedFrame.all {
            let connection = try probe.mta.connect()
            sessions += 1
            try connection.write("C", Array("h\0U".utf8))
            #expect(try connection.readFrame().command == "c")
            try connection.write("M", Array("<a@example.org>\0".utf8))
            #expect(try connection.readFrame().command == "c")
            connection.stream.write(frame.octets)
            try connection.stream.flush()
            #expect(throws: StreamError.closed, "\(frame)") { try connection.readFrame() }
            connection.close()
            let lines = sessions - 1
            try probe.process.wait { $0.count { $0.hasPrefix("problem ") } == lines }
            let line = probe.process.lines.last { $0.hasPrefix("problem ") } ?? ""
            #expect(line.hasPrefix("problem connection ended: the MTA sent "))
            #expect(line.contains(frame.line))
        }
        #expect(try bystander.deliver(hello).decision == .accepted)
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        bystander.quit()
        try probe.settle(sessions + 1)
    }

    /// Plays again with another process what libmilter left waiting (`TransportDifference.stalls`).
    private func patiently(_ transport: String, _ play: () throws -> Void) throws {
        for _ in 0..<3 where transport == "libmilter" {
            do {
                return try play()
            } catch StreamError.timeout {
                continue
            }
        }
        try play()
    }

    @Test(arguments: ["native", "libmilter"])
    func halfAFrameAndTheEndAreNoFault(transport: String) throws {
        try patiently(transport) { try playHalfFrames(transport) }
    }

    private func playHalfFrames(_ transport: String) throws {
        let probe = try Probe(Self.answering + ["transport=\(transport)"], over: .unix)
        for count in [1, 4, 5, 20] {
            let connection = try probe.mta.connect()
            connection.stream.write(Array([0, 0, 0, 40, 0x44, 0x4D, 0x69].prefix(count)))
            try connection.stream.flush()
            connection.close()
        }
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        try probe.settle(5)
        #expect(!probe.process.lines.contains { $0.hasPrefix("problem ") })
    }

    /// Each connection has three descriptors behind the relay, and none is left.
    @Test func noDescriptorIsLeft() throws {
        try patiently("libmilter", playEnds)
    }

    private func playEnds() throws {
        let probe = try Probe(Self.answering + ["transport=libmilter"], over: .unix)
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        try probe.settle()
        let before = try descriptors(of: probe)
        var open: [MTAConnection] = []
        for _ in 0..<40 { open.append(try probe.mta.connect()) }
        for (index, connection) in open.enumerated() {
            switch index % 4 {
            case 0: connection.quit()
            case 1: connection.close()
            case 2:
                connection.stream.write(MilterWire.frame("?"))
                try connection.stream.flush()
            default:
                #expect(try connection.deliver(hello).decision == .accepted)
                connection.quit()
            }
        }
        try probe.settle(41)
        open = []
        let _: Bool = try wait(for: "as few descriptors as before") {
            try descriptors(of: probe) <= before ? true : nil
        }
    }

    /// Out of descriptors, libmilter would try to accept without a pause: there is a limit before.
    @Test func moreThanThereIsRoomForWait() throws {
        try patiently("libmilter", playCrowd)
    }

    private func playCrowd() throws {
        let probe = try Probe(
            Self.answering + ["transport=libmilter", "descriptors=200"], over: .unix)
        let first = try (0..<50).map { _ in try probe.mta.connect() }
        let others = try (0..<30).map { _ in try StreamSocket(probe.address, timeout: 60) }
        for other in others { other.write(MilterWire.frame("Q")) }
        _ = try probe.process.line("problem there are 50 connections, the limit: others wait")
        for connection in first {
            #expect(try connection.deliver(hello).decision == .accepted)
            connection.quit()
        }
        for other in others {
            try other.flush()
            #expect(throws: StreamError.closed) { try other.read(1) }
        }
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        #expect(probe.process.lines.count { $0.hasPrefix("problem ") } == 1)
    }

    private func descriptors(of probe: Probe) throws -> Int {
        let folder = "/proc/\(probe.process.identifier)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).count
    }

    /// The sockets that the probe listens on, by their names: libmilter's has none.
    @Test func nobodyElseReachesLibmilter() throws {
        let probe = try Probe(Self.answering + ["transport=libmilter"], over: .inet)
        #expect(try probe.mta.deliver(hello).decision == .accepted)
        let table = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8)
        let names = table.split(separator: "\n").compactMap { line in
            line.split(separator: " ").last.map(String.init)
        }
        for name in names where name.hasPrefix("/tmp/signet-libmilter-") {
            #expect(!FileManager.default.fileExists(atPath: name), "\(name)")
        }
    }
}
