import MailSyntax
import TestKit
import Testing

@testable import Milter

/// The protocol without a socket: octets in, events and octets out.
@Suite struct CoreTests {
    private static let offer = MilterWire.frame(
        "O", [6, 0x1ff, 0x1f_ffff].flatMap { MilterWire.number($0) })
    private static let client = MilterWire.frame("C", Array("h\0U".utf8))
    private static let mail = MilterWire.frame("M", Array("<a@example.org>\0".utf8))

    private func macros(_ command: Character, _ pairs: String...) -> [UInt8] {
        MilterWire.frame("D", [command.asciiValue ?? 0] + MilterWire.strings(pairs))
    }

    private func play(
        _ frames: [UInt8]..., needs: MilterNeeds = MilterNeeds(events: .all, repliesTo: .all),
        answer: @escaping @Sendable (MilterEvents) -> MilterReply = { _ in .continue },
        verdict: MilterVerdict = .continue
    ) -> Recording {
        Recording.play(
            [Self.offer] + frames, needs: needs, answer: answer, verdict: verdict)
    }

    @Test(arguments: MalformedFrame.all)
    func whatIsMalformedEndsTheConnection(frame: MalformedFrame) {
        expectEnd(after: Self.mail + frame.octets, line: frame.line)
    }

    @Test(arguments: [
        ("message without MAIL", MilterWire.frame("B", [65]), "body outside a message"),
        ("end without MAIL", MilterWire.frame("E"), "endOfMessage outside a message"),
        (
            "header after body",
            mail + MilterWire.frame("B", [65])
                + MilterWire.frame("L", [65, 0, 0]), "header outside a message"
        ),
        ("second negotiation", client + offer, "a second negotiation"),
    ])
    func whatIsOutOfOrderEndsTheConnection(name: String, frames: [UInt8], line: String) {
        expectEnd(after: frames, line: line)
    }

    /// The connection ends with one line that says what was wrong, and nothing passes after it.
    private func expectEnd(after frames: [UInt8], line: String) {
        let recording = play(frames, MilterWire.frame("H", [65, 0]))
        #expect(recording.step == .close)
        #expect(recording.problems.count == 1)
        #expect(recording.problems[0].contains(line), "\(recording.problems)")
        #expect(!recording.events.contains("helo A"))
        #expect(recording.events.last == "close")
    }

    @Test func nothingPassesBeforeNegotiation() {
        let recording = Recording.play([MilterWire.frame("H", [65, 0])])
        #expect(recording.problems == ["connection ended: the MTA sent helo before negotiation"])
        #expect(recording.output.isEmpty && recording.events.isEmpty)
    }

    /// A milter in check_policy_service: the client gets an answer that it understands, however
    /// its request is cut.
    @Test(arguments: [1, 3, 4, 1_000])
    func aClientOfThePolicyProtocolIsAnswered(pieces: Int) {
        let request = Array("request=smtpd_access_policy\nprotocol_state=RCPT\n\n".utf8)
        let cut = stride(from: 0, to: request.count, by: pieces).map {
            Array(request[$0..<min($0 + pieces, request.count)])
        }
        let recording = Recording.play(cut)
        #expect(
            String(decoding: recording.output, as: UTF8.self)
                == "action=451 4.3.5 Server configuration problem\n\n")
        #expect(recording.step == .close)
        #expect(recording.policyClients == 1)
        #expect(recording.problems.isEmpty && recording.events.isEmpty)
    }

    @Test func aPolicyRequestAmidMilterCommandsIsAFault() {
        let recording = play(Self.client, Array("request=smtpd_access_policy\n\n".utf8))
        #expect(recording.replies == ["O", "c"])
        #expect(
            recording.problems == [
                "connection ended: the MTA sent a request of the policy protocol"
            ])
    }

    @Test(arguments: [(0, nil), (1, nil), (2, 2), (3, 3), (6, 6), (7, 6)] as [(UInt32, UInt32?)])
    func versions(offered: UInt32, answered: UInt32?) {
        let frame = MilterWire.frame("O", [offered, 0x1ff, 0].flatMap { MilterWire.number($0) })
        let recording = Recording.play([frame])
        #expect((recording.step == .goOn) == (answered != nil))
        if let answered {
            #expect(MilterWire.number(at: 5, of: recording.output) == answered)
        }
    }

    /// SMFIP_MDS_256K and SMFIP_MDS_1M, which libmilter's own MTA offers, are not ours to ask for.
    @Test func sizesAreTolerated() {
        let frame = MilterWire.frame(
            "O", [6, 0x1ff, 0x301f_ffff].flatMap { MilterWire.number($0) } + [1, 2, 3])
        let recording = Recording.play([frame])
        #expect(MilterWire.number(at: 13, of: recording.output) & 0xf000_0000 == 0)
        #expect(recording.step == .goOn)
    }

    @Test func aValueKeepsItsOctets() {
        let recording = play(
            Self.mail, MilterWire.frame("L", Array("X\0 a\0b\u{ff}\0".utf8)),
            MilterWire.frame("L", Array("Y\0\0".utf8)))
        #expect(recording.events.contains("header X: a\u{0}b\u{ff}"))
        #expect(recording.events.contains("header Y:"))
    }

    @Test func macrosLiveAsLongAsTheirStage() {
        let recording = play(
            macros("C", "j", "mx", "x", "connect"), Self.client,
            macros("H", "{x}", "helo"), MilterWire.frame("H", [65, 0]),
            macros("M", "x", "mail", "{auth_type}", "PLAIN"), Self.mail,
            macros("R", "i", "1", "x", "rcpt"), MilterWire.frame("R", [65, 0]),
            // The list is replaced as a whole.
            macros("R", "i", "2"), MilterWire.frame("R", [65, 0]),
            macros("E", "i", "3"), MilterWire.frame("E"),
            // The next message has none of the last one's.
            Self.mail, MilterWire.frame("A"),
            macros("H"), MilterWire.frame("H", [65, 0]))
        #expect(
            recording.macros == [
                "connect - connect -", "helo - helo -", "mail - mail PLAIN", "rcpt 1 rcpt PLAIN",
                "rcpt 2 mail PLAIN", "eom 3 mail PLAIN", "mail - helo -", "helo - connect -",
            ])
    }

    @Test func anAnswerEndsTheMessage() {
        let recording = play(
            Self.mail, MilterWire.frame("A"), Self.mail, MilterWire.frame("R", [65, 0]),
            answer: { $0 == .mail ? .reject : .continue })
        #expect(recording.replies == ["O", "r", "r"])
        #expect(recording.events == ["mail", "abort", "mail", "abort", "close"])
        #expect(recording.problems[0].contains("recipient outside a message"))
    }

    @Test func mailInAMessageBeginsAnother() {
        let recording = play(Self.mail, MilterWire.frame("T"), Self.mail, MilterWire.frame("Q"))
        #expect(recording.events == ["mail", "data", "abort", "mail", "abort", "close"])
        #expect(recording.step == .close && recording.problems.isEmpty)
    }

    @Test func aNewSessionMayFollowOnTheSameConnection() {
        let recording = play(
            Self.client, Self.mail, MilterWire.frame("K"), Self.client, Self.mail,
            MilterWire.frame("K"), Self.offer, Self.client, MilterWire.frame("Q"))
        #expect(
            recording.events == [
                "connect", "mail", "abort", "close", "connect", "mail", "abort", "close", "close",
                "connect", "close",
            ])
        #expect(recording.replies == ["O", "c", "c", "c", "c", "O", "c"])
    }

    @Test func theLastPieceOfTheBodyMayComeWithTheEnd() {
        let recording = play(Self.mail, MilterWire.frame("E", [65, 66]))
        #expect(recording.events.prefix(3) == ["mail", "body AB", "eom"])
        #expect(recording.replies == ["O", "c", "a"])
    }

    @Test func whatAnOldMTASendsUnaskedIsAnsweredAndNotPassedOn() {
        let frame = MilterWire.frame("O", [2, 0x3f, 0].flatMap { MilterWire.number($0) })
        let recording = Recording.play(
            [frame, Self.client, Self.mail, MilterWire.frame("U", [65, 0])],
            needs: MilterNeeds(events: .header))
        #expect(recording.events == ["abort", "close"])
        #expect(recording.replies == ["O", "c", "c", "c"])
    }

    /// Postfix's cleanup(8) is quadratic in edits.
    @Test(arguments: [100, 101, 10_050])
    func editsAreLimited(count: Int) {
        let edit = MessageEdit.deleteHeader(name: "Authentication-Results", occurrence: 1)
        let recording = play(
            macros("M", "i", "4XyZ"), Self.mail, MilterWire.frame("E"),
            needs: MilterNeeds(events: .all, repliesTo: .all, edits: .changeHeaders),
            verdict: MilterVerdict(edits: Array(repeating: edit, count: count)))
        if count <= MilterVerdict.maximumEdits {
            #expect(recording.replies.count { $0 == "m" } == count)
            #expect(recording.replies.last == "a" && recording.problems.isEmpty)
        } else {
            #expect(recording.replies == ["O", "c", "y"])
            let sent = String(decoding: recording.output, as: UTF8.self)
            #expect(sent.contains("550 5.6.0 too many"))
            #expect(recording.problems.count == 1 && recording.problems[0].hasPrefix("4XyZ: "))
        }
    }

    @Test(arguments: [
        ("4", "192.0.2.1", "ipv4 192.0.2.1"), ("6", "2001:db8::1", "ipv6 2001:db8::1"),
        ("6", "IPv6:2001:db8::1", "ipv6 2001:db8::1"), ("6", "fe80::1%eth0", "ipv6 fe80::1"),
        ("L", "/a/socket", "unix -"),
    ])
    func clients(family: String, address: String, seen: String) throws {
        let data = Array("h\0\(family)".utf8) + [0, 25] + Array(address.utf8) + [0]
        let client = try CommandData.client(data.span)
        #expect("\(client.family) \(client.address.map { "\($0)" } ?? "-")" == seen)
    }

    /// A conversation's octets, cut anywhere, mean the same.
    @Test func everyCutGivesTheSame() {
        let conversation: [UInt8] = [
            Self.offer, macros("C", "j", "mx"), Self.client, MilterWire.frame("H", [65, 0]),
            macros("M", "i", "1"), Self.mail, MilterWire.frame("R", Array("<b@c>\0NOTIFY\0".utf8)),
            MilterWire.frame("T"), MilterWire.frame("L", Array("From\0 a\n b\0".utf8)),
            MilterWire.frame("N"), MilterWire.frame("B", Array("body\r\n".utf8)),
            macros("E", "i", "2"), MilterWire.frame("E"), MilterWire.frame("A"), Self.mail,
            MilterWire.frame("Q"),
        ].flatMap { $0 }
        let needs = MilterNeeds(events: .all, repliesTo: .all, edits: .addHeaders)
        let verdict = MilterVerdict(edits: [.addHeader(name: "X", value: [32, 49])])
        let whole = Recording.play([conversation], needs: needs, verdict: verdict)
        #expect(whole.problems.isEmpty && whole.events.last == "close")
        for cut in 1..<conversation.count {
            let pieces = [Array(conversation[..<cut]), Array(conversation[cut...])]
            #expect(Recording.play(pieces, needs: needs, verdict: verdict) == whole)
        }
        let octets = conversation.map { [$0] }
        #expect(Recording.play(octets, needs: needs, verdict: verdict) == whole)
    }
}
