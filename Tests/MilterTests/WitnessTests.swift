import Foundation
import Testing

@testable import TestKit

/// The same generated conversations, played to our own transport and to libmilter.
///
/// Every reply, every edit and every event of the session must mean the same, but for what
/// `TransportDifference` lists. `SIGNET_SEED` in the environment repeats a run.
@Suite(.serialized) struct WitnessTests {
    private static let conversations = 150

    @Test(arguments: 0..<16) func bothTransportsMeanTheSame(script number: Int) throws {
        let seed =
            ProcessInfo.processInfo.environment["SIGNET_SEED"].flatMap(UInt64.init)
            ?? UInt64.random(in: 0..<1 << 32)
        var generator = SeededGenerator(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
        let arguments = ProbeScript.arguments(using: &generator)
        let native = try Probe(arguments, over: .unix)
        var witness = try LibmilterWitness(arguments)
        for index in 1...Self.conversations {
            let same = generator
            let context =
                "SIGNET_SEED=\(seed), script \(number) \(arguments), conversation \(index)"
            let ours = try said(by: "native", context) {
                let answers = try Conversation.play(to: native, using: &generator)
                try native.settle(index)
                return answers
            }
            let theirs = try said(by: "libmilter", context) { try witness.play(same) }
            try #require(ours == theirs, "\(context)")
            // libmilter may have missed the last of them: see TransportDifference.
            let seen = TransportDifference.normalized(native.events(index))
            let witnessed = TransportDifference.normalized(witness.events)
            try #require(seen.starts(with: witnessed), "\(context)")
            let missed = seen.dropFirst(witnessed.count)
            try #require(
                missed.allSatisfy { !$0.hasPrefix("endOfMessage") }, "\(context)")
        }
        native.process.tell("drain")
        #expect(try native.process.waitForExit() == 0)
    }

    /// Runs one side of a conversation; what goes wrong is recorded with all that repeats it.
    private func said<Answers>(
        by transport: String, _ context: String, _ play: () throws -> Answers
    ) throws -> Answers {
        do {
            return try play()
        } catch {
            Issue.record("\(transport): \(error); \(context)")
            throw error
        }
    }
}

/// A filter over libmilter, to which conversations are played one after the other.
private struct LibmilterWitness {
    /// How often a script begins anew with another process, as `TransportDifference.stalls` says.
    private var restarts = 3
    private let arguments: [String]
    private var probe: Probe
    private var sessions = 0

    init(_ arguments: [String]) throws {
        self.arguments = arguments + ["transport=libmilter"]
        probe = try Probe(self.arguments, over: .unix)
    }

    /// The events of the last conversation.
    var events: [String] { probe.events(sessions) }

    /// Plays the conversation that the generator makes; returns the transcript.
    mutating func play(_ generator: SeededGenerator) throws -> [String] {
        while true {
            var generator = generator
            sessions += 1
            do {
                let answers = try Conversation.play(to: probe, using: &generator)
                try probe.settle(sessions)
                return answers
            } catch StreamError.timeout where restarts > 0 {
                restarts -= 1
                probe = try Probe(arguments, over: .unix)
                sessions = 0
            }
        }
    }
}

/// What the two transports do differently, and why.
enum TransportDifference {
    /// Events that one of them has and the other has not.
    static let events: [(event: String, reason: String)] = [
        (
            "abort",
            "libmilter tells of an abort by the state that it expects the MTA in, ours by whether "
                + "the session has been told of a message"
        ),
        ("close", "it is looked for by the count of sessions, as what comes before it may differ"),
        ("deinit", "likewise"),
    ]
    /// What the end of a conversation may leave out.
    static let ends = [
        (
            what: "commands that get no reply and come with the end of the connection",
            reason: "libmilter sees the end first and does not read them; ours reads all that came"
        )
    ]
    /// What is tried again with libmilter, and never with ours.
    static let stalls = [
        (
            what: "a connection on which nothing more happens",
            reason: "on a busy machine libmilter's pool of threads can leave a connection that has "
                + "sent something waiting, for two minutes and more"
        )
    ]
    /// What conversations here leave out.
    static let conversations: [(what: String, reason: String)] = [
        ("NUL in a value", "libmilter hands over C strings; ours keeps every octet"),
        ("commands out of order", "ours ends the connection; libmilter ignores the command"),
        (
            "different values of a macro at the end of header and of message",
            "libmilter looks at those of the end of the header section first; ours at the latest"
        ),
        (
            "macros of one message that the next has not",
            "libmilter keeps those of MAIL until the next list; ours forgets them with the message"
        ),
        (
            "a message without a header field",
            "libmilter does not answer its body, where it knows of fields and not of their end"
        ),
        ("more than one session on a connection", "libmilter makes no session after QUIT_NC"),
    ]

    static func normalized(_ lines: [String]) -> [String] {
        lines.filter { line in !events.contains { $0.event == line } }
    }
}

/// How a probe is to behave, at random.
private enum ProbeScript {
    private static let events = [
        "connect", "helo", "mail", "recipient", "data", "header", "endOfHeader", "body",
    ]
    private static let answers = [
        "accept", "discard", "tempfail", "reject", "skip", "450::later", "550:5.7.1:No\n100% no",
    ]
    private static let edits = [
        "insert:0:X-Top: 1", "insert:1:X-Below:2", "add:0:X-End: 3\n\tfolded",
        "change:1:Subject: new", "delete:1:X-Test:", "addRecipient:0::<carol@example.org>",
        "deleteRecipient:0::<bob@example.org>", "changeSender:0::<bounce@example.net>",
        "quarantine:0::suspicious", "add:0:X: bad\nInjected: b",
    ]

    static func arguments(using generator: inout SeededGenerator) -> [String] {
        func some(_ names: [String], _ times: Int) -> [String] {
            names.filter { _ in !generator.chance(times) }
        }
        var result = [
            // An empty list is written as an unknown name.
            "events=" + (["none"] + some(events, 4)).joined(separator: ","),
            "replies=" + (["none"] + some(events, 2)).joined(separator: ","), "edits=7f",
        ]
        for event in events + ["endOfMessage"] where generator.chance(6) {
            let answer = answers.randomElement(using: &generator) ?? "accept"
            result.append("answer=\(event):\(answer)")
        }
        for edit in edits where generator.chance(3) { result.append("edit=\(edit)") }
        if generator.chance(2) { result.append("macros=i,auth_authen") }
        return result
    }
}

/// One connection's conversation, at random.
private struct Conversation {
    private let connection: MTAConnection
    private let mta: FakeMTA
    private var transcript: [String] = []
    private var message = 0

    /// The MTA's side of it, frame by frame, is in what it returns: the agreement and all frames
    /// of the filter.
    static func play(to probe: Probe, using generator: inout SeededGenerator) throws -> [String] {
        var mta = probe.mta
        if generator.chance(3) {
            mta = FakeMTA.version2(probe.address)
        } else if generator.chance(2) {
            // Any mask of steps; a version 6 MTA may leave any of them out.
            mta.options = UInt32.random(in: 0...0x1f_ffff, using: &generator)
        }
        mta.pieceSize = [nil, nil, 1, 7, 100].randomElement(using: &generator) ?? nil
        var conversation = Conversation(connection: try mta.connect(), mta: mta)
        conversation.transcript.append("\(conversation.connection.agreement)")
        try conversation.run(using: &generator)
        return conversation.transcript
    }

    private init(connection: MTAConnection, mta: FakeMTA) {
        self.connection = connection
        self.mta = mta
    }

    private mutating func run(using generator: inout SeededGenerator) throws {
        let families = ["4\u{0}\u{19}192.0.2.1\0", "6\u{0}\u{19}2001:db8::1\0", "U"]
        let family = families.randomElement(using: &generator) ?? "U"
        let greeting = try event(
            "C", Array("client.example.net\0\(family)".utf8), ["j", "mx", "{daemon_name}", "d"])
        if let greeting, greeting != "c" { return connection.quit() }
        for index in 0..<Int.random(in: 0...2, using: &generator) {
            let reply = try event("H", Array("helo\(index)\0".utf8))
            if let reply, reply != "c" { return connection.quit() }
            if generator.chance(2) { try connection.abort() }
        }
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            message += 1
            let isComplete = try transact(using: &generator)
            if !isComplete || generator.chance(2) { try connection.abort() }
        }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: connection.quit()
        case 1: connection.close()
        case 2:
            // libmilter does not see it: the relay before it ends the connection, as ours does.
            let frame = MalformedFrame.all.randomElement(using: &generator)
            connection.stream.write(frame?.octets ?? [])
            do {
                try connection.stream.flush()
                while true { transcript.append("after a fault: \(try connection.readFrame())") }
            } catch StreamError.closed {
                transcript.append("closed")
            }
        default:
            // Cut within a frame.
            connection.stream.write([0, 0, 0, 40, 0x4D, 0x3C])
            try connection.stream.flush()
            connection.close()
        }
    }

    /// A message; whether it came to its end.
    private mutating func transact(using generator: inout SeededGenerator) throws -> Bool {
        let id = ["i", "id"]
        func ends(_ reply: Character?) -> Bool { reply.map { !"cs".contains($0) } ?? false }
        if ends(
            try event(
                "M", Array("<a\(message)@example.net>\0SIZE=1\0".utf8),
                id + ["{auth_authen}", "user"]))
        {
            return true
        }
        for index in 0..<Int.random(in: 1...3, using: &generator) {
            if generator.chance(20) { return false }
            let reply = try event("R", Array("<b\(index)@example.org>\0".utf8), id)
            if reply == "a" || reply == "d" { return true }
            if reply == "s" { break }
        }
        if mta.options & MilterWire.bits("T").unsent != 0, ends(try event("T", [], id)) {
            return true
        }
        let fields = ["Subject\0 a\0", "X-Test\0b\0", "X-Fold\0\n\tc\0", "X-Two\0  d\0", "X\0\0"]
        let some = fields.filter { _ in !generator.chance(3) }
        for field in some.isEmpty ? fields : some {
            if generator.chance(20) { return false }
            let reply = try event("L", Array(field.utf8), id)
            if ends(reply) { return true }
            if reply == "s" { break }
        }
        if ends(try event("N", [], id)) { return true }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            if generator.chance(20) { return false }
            let size = [1, 100, 65_535].randomElement(using: &generator) ?? 1
            let reply = try event("B", [UInt8](repeating: 0x62, count: size), id)
            if ends(reply) { return true }
            if reply == "s" { break }
        }
        _ = try event("E", [], id)
        return true
    }

    /// Sends a command with its macros, unless it is not wanted; the reply, where one comes.
    private mutating func event(
        _ command: Character, _ data: [UInt8], _ macros: [String] = []
    ) throws -> Character? {
        let bits = MilterWire.bits(command)
        let options = connection.agreement.options
        guard options & bits.unsent == 0 else { return nil }
        if !macros.isEmpty {
            try connection.write("D", [command.asciiValue ?? 0] + MilterWire.strings(macros))
        }
        try connection.write(command, data)
        guard options & bits.silent == 0 || command == "E" else { return nil }
        while true {
            let frame = try connection.readFrame()
            transcript.append(
                "\(command): \(frame.command) \(String(decoding: frame.data, as: UTF8.self))")
            if "cadrtys".contains(frame.command) { return frame.command }
        }
    }
}
