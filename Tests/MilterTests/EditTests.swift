import TestKit
import Testing

@testable import Milter

@Suite struct EditTests {
    @Test func editsAreMadeInOrder() throws {
        let probe = try Probe(
            "events=header", "edits=7f", "edit=insert:0:X-Top: 1", "edit=insert:1:X-Below: 2",
            "edit=insert:0:X-Top: 3", "edit=add:0:X-End:4\n\tfolded", "edit=change:1:subject:  new",
            "edit=delete:1:X-TEST:", "edit=change:7:X-None: appended", "edit=delete:9:From:",
            "edit=addRecipient:0::<carol@example.org>", "edit=deleteRecipient:0::<bob@example.org>",
            "edit=changeSender:0::<bounce@example.net>", "edit=quarantine:0::suspicious")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.decision == .accepted)
        #expect(
            outcome.message.fields.map { "\($0.name):\($0.text)" }.map { $0.prefix(24) } == [
                "X-Top: 3", "X-Top: 1", "X-Below: 2", "Received: from client.ex",
                "Received: from laptop ([", "From: Alice <alice@examp", "subject:  new",
                "X-Fold:\n\tfolded", "X-End:4\n\tfolded", "X-None: appended",
            ])
        #expect(outcome.recipients == ["<carol@example.org>"])
        #expect(outcome.sender == "<bounce@example.net>")
        #expect(outcome.quarantine == "suspicious")
    }

    /// Without the leading-space option the MTA eats and adds one space itself.
    @Test func leadingSpaceAtVersion2() throws {
        let probe = try Probe(
            "events=header", "edits=11", "edit=add:0:X-One: one", "edit=add:0:X-Two:  two")
        let outcome = try FakeMTA.version2(probe.address).deliver(hello)
        #expect(outcome.message.values("X-One") == [" one"])
        #expect(outcome.message.values("X-Two") == ["  two"])
        try probe.settle()
        #expect(
            probe.events().filter { $0.hasPrefix("header") }.dropFirst() == [
                "header From: Alice <alice@example.net>",
                // The guess is wrong here, and cannot be better.
                "header Subject: no space",
                "header X-Test:  two spaces", "header X-Fold:|\tfolded",
            ])
    }

    /// Deletes all Received fields from the highest down and puts one of its own in their place,
    /// the Postfix's own included.
    @Test func ownReceivedCanBeReplaced() throws {
        let probe = try Probe(
            "events=header", "edits=11", "edit=insert:0:Received: \n\tby mx.example.org; date",
            "edit=delete:2:Received:", "edit=delete:1:Received:")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.message.values("Received") == [" \n\tby mx.example.org; date"])
    }

    /// Whoever kills the daemon does not get between the edits of a message.
    @Test func editsAndVerdictComeInOnePiece() throws {
        let probe = try Probe(
            "events=header", "edits=11", "edit=insert:0:X-Top: 1", "edit=delete:1:X-Test:",
            "edit=change:1:Subject: new",
            "edit=add:0:X-Long: \(String(repeating: "x", count: 200))")
        let connection = try probe.mta.connect()
        for _ in 0..<3 {
            let before = connection.stream.arrivals
            let outcome = try connection.deliver(hello)
            #expect(outcome.edits.count == 4)
            #expect(outcome.message.values("X-Top") == [" 1"])
            #expect(connection.stream.arrivals == before + 1)
        }
        connection.quit()
        #expect(!probe.process.lines.contains { $0.contains("problem") })
    }

    /// Over what a socket takes at once they come as they can, and whole.
    @Test(arguments: [Probe.Transport.unix, .inet])
    func manyLongEditsComeToo(transport: Probe.Transport) throws {
        let edits = (0..<12).map { "edit=add:0:X-\($0): \(String(repeating: "x", count: 50_000))" }
        let probe = try Probe(["events=header", "edits=11"] + edits, over: transport)
        for _ in 0..<2 {
            let outcome = try probe.mta.deliver(hello)
            #expect(outcome.decision == .accepted)
            #expect(outcome.message.fields.suffix(12).map(\.name) == (0..<12).map { "X-\($0)" })
            #expect(outcome.message.fields.suffix(12).allSatisfy { $0.value.count == 50_001 })
        }
    }

    @Test(arguments: [
        "add:0:X: a\r\nInjected: b", "add:0:X: a\nInjected: b", "add:0:X: a\n", "add:0:X:Y: a\rb",
        "add:0:Not a name: a", "add:0:: a", "change:0:X: a", "change:1:X:", "insert:-1:X: a",
        "add:0:Größe: a", "quarantine:0::", "addRecipient:0::<a@example.org>\r\nRSET",
        "changeSender:0::<a@example.org>",
    ])
    func anEditThatIsNotWellFormedStopsTheMessage(edit: String) throws {
        let probe = try Probe("events=header", "edits=35", "edit=add:0:X-First: 1", "edit=\(edit)")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.decision == .tempfailed)
        #expect(outcome.edits.isEmpty)
        #expect(try probe.process.line("problem").contains("must not be sent"))
    }

    @Test func refusalSendsNoEdits() throws {
        let probe = try Probe(
            "events=header", "edits=1", "edit=add:0:X-First: 1", "answer=endOfMessage:reject")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.decision == .rejected)
        #expect(outcome.edits.isEmpty)
    }

    @Test(arguments: [
        ("a", true), ("a\n b", true), ("a\n\tb", true), ("", true), ("\u{e9}", true),
        ("a\nb", false), ("a\n", false), ("a\r\n b", false), ("a\0b", false),
    ])
    func headerValues(value: String, isGood: Bool) {
        let edit = MessageEdit.addHeader(name: "X", value: Array(value.utf8))
        #expect((edit.fault(granted: .addHeaders) == nil) == isGood)
        #expect(edit.fault(granted: .changeHeaders) != nil)
    }

    @Test func replyIsAlwaysWellFormed() {
        let reply = SMTPReply(code: 550, enhancedCode: "5.7.26", text: "a\r\n\nb\u{7}\u{e9}\tc")
        #expect(reply.lines == ["a", "b????c"])
        #expect(reply.enhancedCode == "5.7.26")
        for code in ["4.7.1", "5.7", "5.7.1.1", "5..1", "5.1000.1", "5.7.x", ""] {
            #expect(SMTPReply(code: 550, enhancedCode: code, text: "").enhancedCode == nil)
        }
        for code in [0, 250, 354, 600, -1, Int.min] {
            #expect(SMTPReply(code: code, text: "").code == 451)
        }
        let long = SMTPReply(code: 450, text: String(repeating: "%", count: 2000))
        #expect(long.escapedLines.map(\.utf8.count) == [980])
        let many = SMTPReply(code: 450, text: String(repeating: "x\n", count: 100))
        #expect(many.lines.count == 32)
    }

    @Test(arguments: [
        ("i", "i"), ("{i}", "i"), ("auth_type", "{auth_type}"), ("{auth_type}", "{auth_type}"),
    ])
    func macroNames(name: String, normal: String) {
        #expect(MilterMacros.normalized(name) == normal)
        let macros = MilterMacros(["{i}": "1", "auth_type": "2"])
        #expect(macros[name] == (normal == "i" ? "1" : "2"))
    }
}
