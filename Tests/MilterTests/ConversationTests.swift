import TestKit
import Testing

/// What a session sees and says, over the wire.
@Suite struct ConversationTests {
    @Test func everyEventReachesTheSessionInOrder() throws {
        let probe = try Probe("events=all", "replies=all")
        var envelope = Envelope()
        envelope.helo = ["first.example", "second.example"]
        envelope.mail = ["<alice@example.net>", "SIZE=100", "BODY=8BITMIME"]
        envelope.recipients = [["<bob@example.org>"], ["<carol@example.org>"]]
        envelope.authentication = ["auth_authen": "alice"]
        let outcome = try probe.mta.deliver(hello, envelope)
        #expect(outcome.decision == .accepted)
        #expect(outcome.recipients == ["<bob@example.org>", "<carol@example.org>"])
        try probe.settle()
        #expect(
            probe.events() == [
                "negotiate leadingSpace=true edits=0",
                "connect client.example.net ipv4 192.0.2.1 40000 mx.example.org mx.example.org",
                "helo first.example", "helo second.example",
                "mail <alice@example.net> SIZE=100,BODY=8BITMIME alice -",
                "recipient <bob@example.org> -", "recipient <carol@example.org> 4XyZ",
                "data 4XyZ",
                "header Received: from laptop ([10.0.0.1])|\tby relay.example.net; "
                    + "Thu, 1 Jan 2026 00:00:00 +0000",
                "header From: Alice <alice@example.net>", "header Subject:no space",
                "header X-Test:  two spaces", "header X-Fold:|\tfolded",
                "endOfHeader", "body 5", "endOfMessage 4XyZ", "close", "deinit",
            ])
    }

    /// Neither the end of the server's buffer nor a wait for more may show.
    @Test(arguments: [1, 4, 5, 6, 1000, 8191, 8192, 8193, 100_000], [true, false])
    func theSizeOfTheMTAsWritesDoesNotShow(pieceSize: Int, repliesToAll: Bool) throws {
        var message = hello
        message.fields.append(
            MailMessage.Field("X-Long", " " + (0..<2000).map(String.init).joined()))
        message.body = Array(repeating: UInt8(ascii: "b"), count: 150_000)
        let probe = try Probe(["events=all"] + (repliesToAll ? ["replies=all"] : []), over: .unix)
        var mta = probe.mta
        #expect(try mta.deliver(message).decision == .accepted)
        mta.pieceSize = pieceSize
        #expect(try mta.deliver(message).decision == .accepted)
        try probe.settle(2)
        #expect(probe.events(2).contains { $0.hasSuffix("19981999") })
        #expect(probe.events(2) == probe.events(1))
    }

    @Test(arguments: [
        ("192.0.2.1", "ipv4 192.0.2.1 25"), ("2001:db8::1", "ipv6 2001:db8::1 25"),
        (nil, "unknown - 0"),
    ])
    func peer(address: String?, seen: String) throws {
        let probe = try Probe("events=connect")
        var envelope = Envelope()
        envelope.clientName = "[\(address ?? "unknown")]"
        envelope.clientAddress = address
        envelope.clientPort = 25
        _ = try probe.mta.deliver(hello, envelope)
        try probe.settle()
        #expect(probe.events().contains { $0.contains("] \(seen) mx") })
    }

    @Test func messagesOnOneConnectionAreSeparate() throws {
        let probe = try Probe(
            "events=all", "replies=recipient", "edits=1", "edit=add:0:X-Seen: yes")
        let connection = try probe.mta.connect()
        for _ in 0..<100 {
            let outcome = try connection.deliver(hello)
            #expect(outcome.message.values("X-Seen") == [" yes"])
        }
        connection.quit()
        try probe.settle()
        #expect(probe.events().count { $0.hasPrefix("endOfMessage") } == 100)
        #expect(probe.events().count { $0.hasPrefix("connect") } == 1)
    }

    @Test func bodyComesInTheChunksOfTheMTA() throws {
        let probe = try Probe("events=body")
        var mta = probe.mta
        mta.chunkSize = 1000
        var message = hello
        message.body = [UInt8](repeating: UInt8(ascii: "x"), count: 2500)
        _ = try mta.deliver(message)
        try probe.settle()
        #expect(
            probe.events().filter { $0.hasPrefix("body") } == [
                "body 1000", "body 1000", "body 500",
            ])
    }

    /// A refusal at each event, and what the MTA and the session see of it.
    @Test(
        arguments: [
            ("connect", "C"), ("helo", "H"), ("mail", "M"), ("data", "T"), ("header", "L"),
            ("endOfHeader", "N"), ("body", "B"), ("endOfMessage", "E"),
        ] as [(String, Character)])
    func refusal(event: String, command: Character) throws {
        let probe = try Probe("events=all", "replies=all", "answer=\(event):550:5.7.1:No: 100% no")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.decision == .replied("550 5.7.1 No: 100% no"))
        #expect(outcome.replies.last?.command == command)
        try probe.settle()
        // The session hears of a message's end exactly where it does not know it by itself.
        let isInMessage = !["connect", "helo", "endOfMessage"].contains(event)
        #expect(probe.events().contains("abort") == isInMessage)
    }

    @Test func aRefusedRecipientDoesNotEndTheMessage() throws {
        let probe = try Probe("events=recipient", "replies=recipient", "answer=recipient:tempfail")
        let outcome = try probe.mta.deliver(hello)
        #expect(outcome.refusedRecipients == ["<bob@example.org>": .tempfailed])
    }

    @Test(arguments: [
        ("accept", Outcome.Decision.accepted), ("discard", .discarded), ("tempfail", .tempfailed),
        ("reject", .rejected), ("450::later", .replied("450 4.0.0 later")),
        ("550:5.7.1:a\nb\r\nc", .replied("550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c")),
        ("250:2.0.0:fine", .replied("451 4.0.0 fine")),
    ])
    func finalReplies(answer: String, decision: Outcome.Decision) throws {
        let probe = try Probe("events=mail", "answer=endOfMessage:\(answer)")
        #expect(try probe.mta.deliver(hello).decision == decision)
    }

    @Test func skipEndsTheBody() throws {
        let probe = try Probe("events=body", "replies=body", "answer=body:skip")
        var message = hello
        message.body = [UInt8](repeating: UInt8(ascii: "x"), count: 200_000)
        let outcome = try probe.mta.deliver(message)
        #expect(outcome.replies.map(\.reply) == ["s", "a"])
        // At version 2 the MTA goes on sending; the session is spared all the same.
        let old = try FakeMTA.version2(probe.address).deliver(message)
        #expect(old.replies.filter { $0.command == "B" }.map(\.reply) == ["c", "c", "c", "c"])
        try probe.settle(2)
        for session in 1...2 {
            #expect(probe.events(session).count { $0.hasPrefix("body") } == 1)
        }
    }

    @Test(arguments: ["connect", "helo", "mail", "header", "body"])
    func anAnswerThatCannotBeSentLetsNothingPass(event: String) throws {
        let probe = try Probe("events=all", "answer=\(event):reject")
        #expect(try probe.mta.deliver(hello).decision == .tempfailed)
        #expect(try probe.process.line("problem").contains("had asked no reply"))
    }
}
