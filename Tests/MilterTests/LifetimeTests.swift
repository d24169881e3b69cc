import Foundation
import TestKit
import Testing

/// Sessions are released whatever the peer does, and the server lives on.
@Suite struct LifetimeTests {
    /// The bytes of a whole conversation, as the MTA writes it.
    private static let cuts = 1300

    @Test func aCutAtAnyByteLeavesNothingBehind() throws {
        let probe = try Probe("events=all", "replies=all", "edits=11", "edit=add:0:X-Seen: yes")
        var sessions = 0
        var isWhole = false
        for cut in 0..<Self.cuts where !isWhole {
            var mta = probe.mta
            mta.cutAfter = cut
            do {
                let connection = try mta.connect()
                sessions += 1
                _ = try connection.deliver(hello)
                connection.quit()
                isWhole = true
            } catch StreamError.cut {
            }
        }
        #expect(isWhole)
        try probe.settle(sessions)
        #expect(try probe.mta.deliver(hello).message.values("X-Seen") == [" yes"])
        try probe.settle(sessions + 1)
        probe.process.tell("count")
        _ = try probe.process.line("count 0")
    }

    @Test func fiftyConnectionsAtOnce() throws {
        let probe = try Probe("events=all", "replies=all", "edits=11", "edit=add:0:X-Seen: yes")
        let group = DispatchGroup()
        let mta = probe.mta
        let seen = Counter()
        for _ in 0..<50 {
            let thread = Thread {
                defer { group.leave() }
                guard let connection = try? mta.connect() else { return }
                for _ in 0..<5 {
                    let outcome = try? connection.deliver(hello)
                    if outcome?.message.values("X-Seen") == [" yes"] { seen.increment() }
                }
                connection.quit()
            }
            group.enter()
            thread.start()
        }
        group.wait()
        #expect(seen.value == 250)
        try probe.settle(50)
    }

    /// Frames that no MTA sends: (what, frames after negotiation).
    static let oddities: [(String, [UInt8])] = [
        ("unknown command", MilterWire.frame("?")),
        ("empty frame", [0, 0, 0, 0]),
        ("huge frame", [0xff, 0xff, 0xff, 0xff, 0x42]),
        ("frame over 1 MB", MilterWire.frame("B", [UInt8](repeating: 65, count: 1 << 20))),
        ("connect without data", MilterWire.frame("C")),
        ("connect with half an address", MilterWire.frame("C", Array("x\u{0}4\u{1}".utf8))),
        (
            "connect with a bad address",
            MilterWire.frame("C", Array("x\u{0}4\u{1}\u{1}999\u{0}".utf8))
        ),
        ("HELO without NUL", MilterWire.frame("H", [65])),
        ("MAIL without arguments", MilterWire.frame("M", [65])),
        ("MAIL with an empty argument", MilterWire.frame("M", [0])),
        ("header without value", MilterWire.frame("L", [65, 0])),
        ("body before all else", MilterWire.frame("B", [65])),
        ("end of message before all else", MilterWire.frame("E")),
        ("end of message with body", MilterWire.frame("E", [65, 66])),
        ("second negotiation", MilterWire.frame("O", [0, 0, 0, 6, 0, 0, 1, 255, 0, 31, 255, 255])),
        ("macros without a command", MilterWire.frame("D")),
        ("macros without a value", MilterWire.frame("D", Array("Mi\u{0}".utf8))),
        ("text", Array("EHLO example.org\r\n".utf8)),
    ]

    @Test func oddFramesAreSurvived() throws {
        let probe = try Probe("events=all", "replies=all")
        for (index, (what, bytes)) in Self.oddities.enumerated() {
            let connection = try probe.mta.connect()
            connection.stream.write(bytes)
            // Whatever it answers, or closing at once, is good.
            try? connection.stream.flush()
            _ = try? connection.stream.hasInput(within: 0.02)
            connection.close()
            #expect(throws: Never.self, "\(what)") { try probe.settle(index + 1) }
        }
        #expect(try probe.mta.deliver(hello).decision == .accepted)
    }

    @Test func withoutNegotiationNothingPasses() throws {
        let probe = try Probe("events=all", "replies=all")
        let stream = try StreamSocket(probe.address)
        stream.write(MilterWire.frame("H", [65, 0]))
        #expect(throws: StreamError.closed) { try stream.read(5) }
        #expect(try probe.process.line("problem").contains("helo before negotiation"))
        #expect(try probe.mta.deliver(hello).decision == .accepted)
    }

    @Test func aLongHeaderFieldPasses() throws {
        let probe = try Probe("events=header")
        var message = hello
        message.fields.append(.init("X-Long", String(repeating: " x", count: 500_000)))
        #expect(try probe.mta.deliver(message).decision == .accepted)
        try probe.settle()
        #expect(probe.events().contains("header X-Long: 1000000"))
    }
}

/// A counter for several threads.
final class Counter: @unchecked Sendable {
    // Behind `lock`.
    private var count = 0
    private let lock = NSLock()

    var value: Int { lock.withLock { count } }

    func increment() {
        lock.withLock { count += 1 }
    }
}
