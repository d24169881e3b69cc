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

    @Test func bouncesAreScrubbedAndTellNothing() throws {
        let host = try ScrubHost("local")
        try host.postfix.sendmail(
            ["-f", "ann@example.com", "nobody@refused.example"], Array(ScrubHost.message.utf8))
        let bounce = try host.sink.waitForMessage(containing: "multipart/report")
        #expect(bounce.sender.isEmpty)
        for secret in ["userid", ScrubHost.Planted.address, ScrubHost.Planted.program] {
            #expect(!bounce.text.contains(secret), "\(secret) in:\n\(bounce.text)")
        }
        #expect(host.log.contains("scrubbed (internal host)"))
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
