internal import Foundation
import TestKit

/// Shows Signet at work on a private mail system, and leaves nothing behind.
@main
enum Demo {
    static func main() {
        do {
            exit(try run() ? 0 : 1)
        } catch {
            print("\nThe demo could not go on: \(error)")
            exit(1)
        }
    }

    /// Tells the story; false if something in it was not as it should be.
    private static func run() throws -> Bool {
        let narrator = Narrator()
        narrator.chapter("Starting a private mail system on loopback")
        let system = try MailSystem()
        narrator.say(
            "example.org: Dovecot submission, Postfix, signet-scrub, signet-dkim with two keys")
        narrator.say(
            "example.net: Postfix, signet-spf, signet-dkim that verifies, signet-dmarc, Dovecot with Bob"
        )
        narrator.say("a name server with example.org's keys and its DMARC policy, p=reject")
        narrator.say(
            "All of it runs from /tmp, on free ports. It was up after \(narrator.seconds) s.")

        narrator.chapter("Ann submits a message with her password")
        let text = """
            From: Ann <ann@example.org>\r
            To: Bob <bob@example.net>\r
            Subject: Lunch?\r
            Date: Sat, 21 Nov 2026 12:00:00 +0000\r
            Message-ID: <lunch@example.org>\r
            X-Mailer: ExampleMail 1.0 (Linux)\r
            X-Originating-IP: [192.168.1.7]\r
            \r
            At one, at the usual place.\r

            """
        let client = try system.submission.connectSubmission()
        try client.ehlo("laptop.example.org")
        try client.authenticate("ann@example.org", password: "secret")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.net"], Array(text.utf8))
        try client.quit()
        narrator.quote(text)
        guard narrator.check(reply.code == 250, "Dovecot passed it to Postfix: \(reply)") else {
            return false
        }

        narrator.chapter("Bob reads it over IMAP")
        let bytes = try wait(for: "the message in Bob's mailbox\n\(system.receiver.log)") {
            let imap = try IMAPClient(
                port: system.mailbox.imapPort, user: "bob@example.net", password: "secret")
            return try imap.messages().first
        }
        let message = SMTPSink.Message(bytes: bytes)
        narrator.say("signet-dkim of example.org added, one for each key:")
        for value in message.values(of: "DKIM-Signature") {
            narrator.quote("DKIM-Signature:" + value)
        }
        narrator.say("signet-dkim of example.net looked the keys up, verified, and added:")
        let results = message.values(of: "Authentication-Results")
        for value in results { narrator.quote("Authentication-Results:" + value) }

        narrator.chapter("What signet-scrub hid")
        let pairs = Comparison(before: SMTPSink.Message(bytes: Array(text.utf8)), after: message)
        narrator.quote(pairs.text)
        let isHidden = !["laptop", "192.168", "ExampleMail"].contains { pairs.after.contains($0) }
        guard narrator.check(isHidden, "neither Ann's machine nor its address, nor her program")
        else { return false }

        narrator.chapter("Who says that the signatures are good?")
        let passes = results.first.map { $0.ranges(of: "dkim=pass").count } ?? 0
        var isGood = narrator.check(
            passes == 2, "signet-dkim at example.net: \(passes) of 2 signatures pass")
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(bytes, records: system.keys.records)
            let words = verdicts.map { "\($0.algorithm) \($0.result)" }.joined(separator: ", ")
            let agrees = Set(verdicts) == system.keys.goodVerdicts
            isGood = narrator.check(agrees, "\(peer), somebody else's program: \(words)") && isGood
        }
        let altered = Array(
            String(decoding: bytes, as: UTF8.self).replacing(" one,", with: " two,").utf8)
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(altered, records: system.keys.records)
            let refuses = verdicts.count == 2 && verdicts.allSatisfy { $0.result != "pass" }
            isGood =
                narrator.check(refuses, "\(peer), with one word of the text changed: no pass")
                && isGood
        }

        narrator.chapter("A stranger sends mail in Ann's name")
        isGood = try forge(system, narrator) && isGood

        narrator.chapter("He tries Ann's address in the envelope too")
        isGood = try forgeEnvelope(system, narrator) && isGood

        narrator.chapter("What the daemons logged")
        narrator.quote(system.scrubber.log.joined(separator: "\n"))
        narrator.quote(system.signer.log.joined(separator: "\n"))
        narrator.quote(system.gatekeeper.log.joined(separator: "\n"))
        narrator.quote(system.verifier.log.joined(separator: "\n"))
        narrator.quote(system.guardian.log.joined(separator: "\n"))
        narrator.chapter("Where to look next")
        narrator.say("README.md            what Signet is, and a map of the code")
        narrator.say("Sources/signet-dkim  the milter that you have just seen")
        narrator.say("Tests/Demo           the two hosts of this demo, in a page of code")
        narrator.say("Tests/run            all the tests")
        narrator.say("\nEverything took \(narrator.seconds) s and is gone now.")
        return isGood
    }

    /// Claims example.org's envelope sender from a host that its SPF record does not name; false if it is not refused.
    private static func forgeEnvelope(
        _ system: MailSystem, _ narrator: Narrator
    ) throws -> Bool {
        let client = try system.receiver.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "203.0.113.66", "NAME": "mail.evil.example"])
        try client.ehlo("mail.evil.example")
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.net"], Array("Subject: Again\r\n\r\n".utf8))
        try client.quit()
        narrator.quote("MAIL FROM:<ann@example.org>\nRCPT TO:<bob@example.net>")
        return narrator.check(
            reply.code == 550, "signet-spf at example.net had Postfix refuse it: \(reply)")
    }

    /// Sends a forgery from a host that may send mail of evil.example; false if it is not caught.
    private static func forge(_ system: MailSystem, _ narrator: Narrator) throws -> Bool {
        let text = """
            Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\r
            From: Ann <ann@example.org>\r
            To: Bob <bob@example.net>\r
            Subject: Send money\r
            Date: Sat, 21 Nov 2026 12:30:00 +0000\r
            Message-ID: <money@evil.example>\r
            \r
            Quickly, please. Ann\r

            """
        let client = try system.receiver.connect()
        try client.ehlo()
        try client.xclient(["ADDR": "203.0.113.66", "NAME": "mail.evil.example"])
        try client.ehlo("mail.evil.example")
        let reply = try client.deliver(
            from: "x@evil.example", to: ["bob@example.net"], Array(text.utf8))
        try client.quit()
        narrator.quote(text)
        return narrator.check(
            reply.code == 550, "signet-dmarc at example.net had Postfix refuse it: \(reply)")
    }
}
