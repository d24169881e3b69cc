import MailSyntax
import TestKit
import Testing

@testable import Milter

/// What stands before a reader that does not check frames.
@Suite struct FrameGuardTests {
    private static let offer = MilterWire.frame(
        "O", [6, 0x1ff, 0x1f_ffff].flatMap { MilterWire.number($0) })
    private static let mail = MilterWire.frame("M", Array("<a@example.org>\0".utf8))

    /// What came through, the last step, and what was reported.
    private struct Passage: Equatable {
        var frames: [UInt8] = []
        var step = FrameGuard.Step.goOn
        var problems: [String] = []

        init(_ pieces: [[UInt8]]) {
            let record = Recording.Record()
            let filter = Recording.Filter(
                needs: MilterNeeds(events: .all), answer: { _ in .continue }, verdict: .continue,
                record: record)
            var frames = FrameGuard(
                MilterService(
                    filter: { filter }, isOverTCP: false,
                    onProblem: { record.value.problems.append($0) },
                    onPolicyClient: { record.value.policyClients += 1 }))
            for piece in pieces where step == .goOn {
                step = frames.receive(piece.span, frames: &self.frames)
            }
            problems = record.value.problems
        }
    }

    @Test(arguments: MalformedFrame.all)
    func nothingMalformedPasses(frame: MalformedFrame) {
        let passage = Passage([Self.offer + Self.mail + frame.octets + Self.mail])
        #expect(passage.frames == Self.offer + Self.mail)
        #expect(passage.step == .refuse(answer: []))
        // The line is the one that our own transport logs.
        let native = Recording.play([Self.offer, Self.mail, frame.octets])
        #expect(passage.problems == native.problems)
    }

    /// Whatever the order: that is the reader's to judge.
    @Test func whatIsWellFormedPassesAsItIsHoweverItIsCut() {
        let conversation: [UInt8] = [
            MilterWire.frame("D", Array("Ci\u{0}1\0".utf8)), Self.offer,
            MilterWire.frame("C", Array("h\0U".utf8)), MilterWire.frame("D", [0x4D]), Self.mail,
            MilterWire.frame("B"), MilterWire.frame("L", Array("A\0b\0c\0".utf8)), Self.offer,
            MilterWire.frame("E", [65]), MilterWire.frame("U", [65, 0]), MilterWire.frame("K"),
            MilterWire.frame("A"), MilterWire.frame("T"), MilterWire.frame("N"),
        ].flatMap { $0 }
        for cut in 0...conversation.count {
            let passage = Passage([Array(conversation[..<cut]), Array(conversation[cut...])])
            #expect(passage.frames == conversation)
            #expect(passage.step == .goOn && passage.problems.isEmpty)
        }
        #expect(Passage(conversation.map { [$0] }).frames == conversation)
    }

    @Test func nothingPassesAfterTheLeave() {
        let quit = MilterWire.frame("Q")
        let passage = Passage([Self.offer + quit + Self.mail + MilterWire.frame("?")])
        #expect(passage.frames == Self.offer + quit)
        #expect(passage.step == .quit && passage.problems.isEmpty)
    }

    @Test func aFrameThatIsNotWholeWaits() {
        #expect(Passage([Array(Self.offer.dropLast())]).frames.isEmpty)
    }

    @Test func aClientOfThePolicyProtocolIsAnswered() {
        let request = Array("request=smtpd_access_policy\n\n".utf8)
        let answer = Array("action=451 4.3.5 Server configuration problem\n\n".utf8)
        let passage = Passage([request])
        #expect(passage.step == .refuse(answer: answer))
        #expect(passage.frames.isEmpty && passage.problems.isEmpty)
        let late = Passage([Self.offer, request])
        #expect(late.step == .refuse(answer: []))
        #expect(late.problems.count == 1)
    }
}
