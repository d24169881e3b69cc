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
        var system = try MailSystem()
        narrator.say(
            "example.org: Dovecot submission, Postfix, signet-scrub, signet-dkim with two keys")
        narrator.say(
            "example.net: Postfix, signet-spf, signet-dkim that verifies, signet-dmarc, Dovecot with Bob"
        )
        narrator.say(
            "a name server with example.org's keys, its SPF record and DMARC policy, p=reject")
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
        narrator.say("signet-spf of example.net let it in, and added:")
        for value in message.values(of: "Received-SPF") { narrator.quote("Received-SPF:" + value) }
        narrator.say(
            "signet-dkim and signet-dmarc of example.net judged it, and added one field with all results:"
        )
        let results = message.values(of: "Authentication-Results")
        for value in results { narrator.quote("Authentication-Results:" + value) }
        var isGood = narrator.check(
            results.count == 1
                && ["spf=pass", "dkim=pass", "dmarc=pass"].allSatisfy(results[0].contains),
            "SPF, DKIM and DMARC pass")

        narrator.chapter("What signet-scrub hid")
        let pairs = Comparison(
            before: SMTPSink.Message(bytes: Array(text.utf8)), after: message,
            columns: narrator.width.map { $0 - 4 } ?? .max)
        narrator.show(pairs.lines)
        let isHidden = !["laptop", "192.168", "ExampleMail"].contains { pairs.after.contains($0) }
        guard
            narrator.check(
                isHidden, "neither Ann's machine nor its address, nor her mail program, is named")
        else { return false }

        narrator.chapter("Who says that the signatures are good?")
        let passes = results.first.map { $0.ranges(of: "dkim=pass").count } ?? 0
        isGood =
            narrator.check(
                passes == 2, "Signet at example.net: \(passes) of 2 signatures pass") && isGood
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(bytes, records: system.keys.records)
            let words = verdicts.map { "\($0.algorithm) \($0.result)" }.joined(separator: ", ")
            let agrees = Set(verdicts) == system.keys.goodVerdicts
            isGood = narrator.check(agrees, "\(peer), an independent verifier: \(words)") && isGood
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

        let stranger = Stranger(receiver: system.receiver)
        narrator.chapter("A stranger sends mail in Ann's name")
        narrator.quote(Stranger.forgery)
        let refusal = try stranger.send(from: "x@evil.example")
        isGood =
            narrator.check(
                refusal.code == 550, "signet-dmarc at example.net had Postfix refuse it: \(refusal)"
            )
            && isGood

        narrator.chapter("The stranger uses Ann's address in the envelope, too")
        narrator.quote("MAIL FROM:<ann@example.org>\nRCPT TO:<bob@example.net>")
        let early = try stranger.send(from: "ann@example.org")
        isGood =
            narrator.check(
                early.code == 550, "signet-spf at example.net had Postfix refuse it: \(early)")
            && isGood

        narrator.chapter("The stranger is lucky: signet-dmarc is killed at that moment")
        system.guardian.kill()
        let deferral = try stranger.send(from: "x@evil.example")
        isGood =
            narrator.check(
                [421, 451].contains(deferral.code), "nothing passes without it: \(deferral)")
            && isGood
        try system.startGuardian()
        let refusalAgain = try stranger.send(from: "x@evil.example")
        isGood =
            narrator.check(refusalAgain.code == 550, "and it is back: \(refusalAgain)") && isGood

        narrator.chapter("What the daemons logged")
        for (name, daemon) in system.daemons {
            narrator.say(name)
            for line in daemon.log where !line.contains(" listens on ") { narrator.quote(line) }
        }

        narrator.chapter("Where to look next")
        narrator.say("README.md            what Signet is, and a map of the code")
        narrator.say("Sources/signet-dkim  the milter that you have just seen")
        narrator.say("Tests/Demo           the two hosts of this demo, in a page of code")
        narrator.say("Tests/run            all the tests")
        print()
        narrator.say("Everything took \(narrator.seconds) s and is gone now.")
        return isGood
    }
}
