import TestKit
import Testing

/// The harness itself: a private Postfix takes mail in by both doors and passes it on.
@Suite(.serialized)
struct PrivatePostfixTests {
    @Test func mailFromSMTPAndSendmailReachesTheSink() throws {
        let sink = try SMTPSink()
        let postfix = try PostfixInstance { $0.relayPort = sink.port }

        let client = try postfix.connect()
        try client.ehlo()
        let message = Array("Subject: one\r\n\r\n.dot\r\n..dots\r\nend\r\n".utf8)
        let reply = try client.deliver(
            from: "a@example.org", to: ["b@example.com", "c@example.com"], message)
        #expect(reply.code == 250)
        try client.quit()
        let first = try sink.waitForMessage(containing: "Subject: one")
        #expect(first.sender == "a@example.org")
        #expect(first.recipients == ["b@example.com", "c@example.com"])
        #expect(first.body.elementsEqual(".dot\r\n..dots\r\nend\r\n".utf8))

        try postfix.sendmail(
            ["-f", "d@example.org", "e@example.com"], Array("Subject: two\n\nbody\n".utf8))
        let second = try sink.waitForMessage(containing: "Subject: two")
        #expect(second.sender == "d@example.org")
        #expect(second.values(of: "Received").first?.contains("from userid") == true)
        _ = try wait(for: "an empty queue") { try postfix.queue().isEmpty ? true : nil }
    }

    @Test func aClientElsewhereIsPlayedWithXCLIENT() throws {
        let sink = try SMTPSink()
        let postfix = try PostfixInstance { $0.relayPort = sink.port }
        let client = try postfix.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "192.0.2.7", "NAME": "mail.example.net"])
        try client.ehlo("mail.example.net")
        let foreign = try client.deliver(
            from: "a@example.net", to: ["b@example.com"], Array("\r\n".utf8))
        #expect(foreign.code == 454, "an open relay would be 250")
        try client.command("RSET")
        let own = try client.deliver(
            from: "a@example.net", to: ["b@example.org"], Array("Subject: in\r\n\r\n".utf8))
        #expect(own.code == 250)
        let message = try sink.waitForMessage(containing: "Subject: in")
        #expect(message.values(of: "Received")[0].contains("mail.example.net [192.0.2.7]"))
    }

    @Test func nothingIsLeftBehind() throws {
        let postfix = try PostfixInstance { _ in }
        let path = postfix.directory.path
        let port = try postfix.port()
        postfix.stop()
        #expect(throws: TestKitError.self) { try LoopbackSocket.connect(port: port) }
        let processes = try Command.require("ps", ["-e", "-o", "args"])
        #expect(!processes.contains(path))
    }
}
