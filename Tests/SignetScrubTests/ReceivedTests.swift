import HeaderScrub
import MailSyntax
import Testing

/// What is left of Received fields.
struct ReceivedTests {
    /// A field's value, and what replaces it.
    static let cases: [(old: String, new: String)] = [
        (
            "from laptop.lan (unknown [192.168.1.7])\n\tby mx.example.org (Postfix) with ESMTPSA id A1\n"
                + "\tfor <b@example.com>; Mon,  1 Jun 2026 14:00:00 +0200 (CEST)",
            "by mx.example.org with ESMTPSA; Mon, 1 Jun 2026 12:00:00 +0000"
        ),
        (
            "from a by b with esmtp; 31 Dec 25 23:30 -0100",
            "by mx.example.org with ESMTP; Thu, 1 Jan 2026 00:30:00 +0000"
        ),
        (
            "by secret with SECRET; Thu, 29 Feb 2024 00:00:00 GMT",
            "by mx.example.org; Thu, 29 Feb 2024 00:00:00 +0000"
        ),
        (
            "(with ESMTP) from \"with; SMTP\" by c with (x) LMTP; nonsense",
            "by mx.example.org with LMTP; Mon, 1 Jun 2026 12:00:00 +0000"
        ),
        ("", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
        (";", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
        ("((((((", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
        (
            "\"unclosed ; Mon, 1 Jun 2020 12:00:00 +0000",
            "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"
        ),
        (
            "by a (hops 7); Fri, 13 Dec 1901 20:45:52 +0000",
            "by mx.example.org (hops 7); Fri, 13 Dec 1901 20:45:52 +0000"
        ),
        ("by a (hops 0)", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
        ("by a (hops 99999)", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
        ("by a (hops 7x)", "by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"),
    ]

    @Test(arguments: cases)
    func aFieldBecomesASanitisedOne(old: String, new: String) {
        #expect(scrubbed("Received: \(old)\n\n") == ["Received: \(new)"])
    }

    @Test func eachIsReplacedOneForOne() {
        let text = (1...5).map { "Received: by h\($0).lan; Mon, 1 Jun 2026 12:00:0\($0) +0000\n" }
        let left = scrubbed(text.joined() + "Subject: x\n\n")
        #expect(left.count == 6)
        #expect(left[0].hasSuffix(":01 +0000") && left[4].hasSuffix(":05 +0000"))
        #expect(!left.joined().contains("lan"))
    }

    @Test func removalLeavesOneFieldThatCounts() {
        let text =
            "Received: by a; 1 Jun 2026 11:00:00 +0000\nSubject: x\nReceived: by b (hops 7)\n\n"
        let left = scrubbed(text, by: "Remove Received")
        #expect(
            left == [
                "Received: by mx.example.org (hops 8); Mon, 1 Jun 2026 11:00:00 +0000",
                "Subject: x",
            ])
    }

    @Test(arguments: ["", "Remove Received"])
    func moreThanFiftyHopsAreALoop(rules: String) {
        func hops(_ count: Int) -> ScrubPlan {
            plan(String(repeating: "Received: by a\n", count: count) + "\n", by: rules)
        }
        #expect(!hops(50).isLoop)
        #expect(hops(51).isLoop)
        #expect(hops(51).hops == 51)
        #expect(plan("Received: by a (hops 51)\n\n", by: rules).isLoop)
        #expect(!plan("Received: by a (hops 51)\n\n", by: "Keep Received\n" + rules).isLoop)
    }

    @Test func namesThatLookLikeReceivedAreOthers() {
        let names = [
            "X-Received", "Receive", "Receiveds", "Received-By", "Re-ceived",
            "Receiv\u{65}\u{301}d",
        ]
        let text = names.map { "\($0): by secret\n" }.joined()
        #expect(scrubbed(text + "\n").filter { $0.contains("secret") }.count >= names.count - 1)
        #expect(
            scrubbed("rECEIVED: by secret\n\n") == [
                "rECEIVED: by mx.example.org; Mon, 1 Jun 2026 12:00:00 +0000"
            ])
        #expect(plan(text + "\n").hops == 0)
    }

    @Test func thePublicNameIsTheConfiguredOne() {
        let left = scrubbed("Received: by a\n\n", by: "PublicHostName Mail.Example.NET")
        #expect(left[0].hasPrefix("Received: by mail.example.net;"))
    }

    @Test func ownFieldIsReplacedWhereAsked() throws {
        let plan = plan(
            "Received: by a\nReceived: by b\n\n", by: "ReplaceOwnReceived yes\nRemove Received")
        let own = try #require(plan.ownReceived)
        // The empty first line makes Postfix take the field for its own.
        #expect(
            String(decoding: own, as: UTF8.self).hasPrefix(
                " \n\tby mx.example.org id 4XyZ (hops 3);"))
        #expect(plan.changes.allSatisfy { $0.change == .remove })
    }
}
