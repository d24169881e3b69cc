import TestKit
import Testing

/// Mail that does not come by SMTP, as packaging/examples/scrub/local has it.
@Suite(.serialized)
struct ScrubLocalMailTests {
    @Test func sendmailTellsNeitherUserNorScript() throws {
        let plain = try ScrubHost("local", withSignet: false)
        try plain.submitLocally()
        let before = try plain.delivered().header
        for secret in ["userid", ScrubHost.Planted.script] { #expect(before.contains(secret)) }

        let host = try ScrubHost("local")
        try host.submitLocally()
        let (message, after) = try host.delivered()
        for secret in [
            "userid", ScrubHost.Planted.address, ScrubHost.Planted.helo,
            ScrubHost.Planted.program, ScrubHost.Planted.script,
        ] {
            #expect(!after.contains(secret), "\(secret) in:\n\(after)")
        }
        #expect(message.values(of: "Received").count == 2, "\(after)")
        #expect(try host.signaturesAreGood(message))
    }

    /// What a bounce tells of the sender: it quotes the message that came back.
    @Test func bouncesAreScrubbedAndTellNothing() throws {
        let secrets = [
            "userid", ScrubHost.Planted.address, ScrubHost.Planted.helo, ScrubHost.Planted.program,
            ScrubHost.Planted.script,
        ]
        func bounce(_ host: ScrubHost) throws -> SMTPSink.Message {
            try host.submitLocally(from: "ann@example.com", to: "nobody@refused.example")
            let bounce = try host.sink.waitForMessage(containing: "multipart/report")
            #expect(bounce.sender.isEmpty)
            #expect(bounce.recipients == ["ann@example.com"])
            return bounce
        }
        let before = try bounce(ScrubHost("local", withSignet: false)).text
        for secret in secrets { #expect(before.contains(secret), "\(secret) in:\n\(before)") }

        let host = try ScrubHost("local")
        let after = try bounce(host).text
        for secret in secrets { #expect(!after.contains(secret), "\(secret) in:\n\(after)") }
        #expect(after.contains("Message-ID: <1@example.org>"), "the message is quoted:\n\(after)")
        #expect(host.log.contains("scrubbed (internal host)"))
    }

    /// The same for a message that a user has submitted over SMTP.
    @Test func bouncesOfSubmissionsTellNothing() throws {
        typealias Planted = ScrubHost.Planted
        let secrets = [
            Planted.address, Planted.helo, Planted.login, Planted.cipher, Planted.program,
        ]
        func bounce(_ host: ScrubHost) throws -> String {
            try host.submit(to: "nobody@refused.example")
            let bounce = try host.sink.waitForMessage(containing: "multipart/report")
            return bounce.text
        }
        let before = try bounce(ScrubHost("dedicated-cleanup", withSignet: false))
        for secret in secrets { #expect(before.contains(secret), "\(secret) in:\n\(before)") }
        let after = try bounce(ScrubHost("dedicated-cleanup"))
        for secret in secrets { #expect(!after.contains(secret), "\(secret) in:\n\(after)") }
    }

    @Test func mailFromOutsideIsLeftAlone() throws {
        let host = try ScrubHost("local")
        let client = try host.postfix.connect()
        try client.ehlo("mail.example.net")
        let reply = try client.deliver(
            from: "a@example.net", to: ["b@example.org"], Array(ScrubHost.message.utf8))
        #expect(reply.code == 250)
        let header = try host.delivered().header
        #expect(header.contains(ScrubHost.Planted.program) && header.contains("laptop.lan"))
    }
}
