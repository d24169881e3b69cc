import HeaderScrub
import Testing

/// What existing signatures cover stays.
struct SignatureTests {
    private static func signature(_ kind: String, _ names: String) -> String {
        "\(kind): v=1; a=rsa-sha256; d=example.net; s=s; i=1;\n h=\(names); bh=AA==; b=AA==\n"
    }

    /// A signature's kind and names, and how many of three X-Mailer fields are left.
    static let cases: [(kind: String, names: String, left: Int)] = [
        ("DKIM-Signature", "from:subject", 0),
        ("DKIM-Signature", "from:x-mailer", 1),
        ("DKIM-Signature", "X-Mailer : From :\n\tX-MAILER", 2),
        ("DKIM-Signature", "x-mailer:x-mailer:x-mailer:x-mailer:x-mailer", 3),
        ("ARC-Message-Signature", "x-mailer", 1),
        ("X-DKIM-Signature", "x-mailer", 0),
    ]

    @Test(arguments: cases)
    func coveredFieldsStayLowestFirst(kind: String, names: String, left: Int) {
        let fields = (1...3).map { "X-Mailer: \($0)\n" }.joined()
        let text = Self.signature(kind, names) + fields + "\n"
        let stays = scrubbed(text).filter { $0.hasPrefix("X-Mailer") }
        #expect(stays == (0..<left).reversed().map { "X-Mailer: \(3 - $0)" })
        let plan = plan(text)
        #expect(plan.spared.count == left)
        #expect(plan.spared.allSatisfy { $0.signature.hasSuffix("example.net") })
    }

    @Test func whatIsNoSignatureCoversNothing() {
        for broken in ["h=x-mailer; h=x-mailer", "x-mailer", "", "h"] {
            #expect(plan("DKIM-Signature: \(broken)\nX-Mailer: a\n\n").changes.count == 1)
        }
    }

    @Test func severalSignaturesCoverWhatAnyOfThemCovers() {
        let text =
            Self.signature("DKIM-Signature", "x-mailer")
            + Self.signature("DKIM-Signature", "user-agent:x-mailer:x-mailer")
            + "X-Mailer: 1\nX-Mailer: 2\nX-Mailer: 3\nUser-Agent: 4\n\n"
        #expect(plan(text).spared.count == 3)
        #expect(plan(text).changes.count == 1)
    }

    @Test func coveredReceivedIsNotReplaced() {
        let text = Self.signature("DKIM-Signature", "received") + "Received: a\nReceived: b\n\n"
        #expect(scrubbed(text).contains("Received: b"))
        #expect(!scrubbed(text).contains("Received: a"))
    }
}
