import MailAuth
import MailSyntax
import Testing
import Threads

/// The header field of RFC 7208, section 9.1.
@Suite("Received-SPF")
struct ReceivedSPFTests {
    private func field(
        _ sender: String, helo: String, client: String = "192.0.2.1",
        record: String = "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
    ) throws -> ReceivedSPF {
        let outcome = try SPFFake(["example.com TXT \(record)"]).check(sender, client, helo: helo)
        return ReceivedSPF(outcome, receiver: "mx.example.net")
    }

    @Test("one line, in policyd-spf's order")
    func unfolded() throws {
        #expect(
            try field("user@example.com", helo: "mail.example.com").unfolded
                == "Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=mail.example.com; "
                + "envelope-from=\"user@example.com\"; receiver=mx.example.net; "
                + "mechanism=\"ip4:192.0.2.0/24\"")
    }

    @Test("lines of 78 octets")
    func folded() throws {
        let text = try field("user@example.com", helo: "mail.example.com").folded
        #expect(
            text == """
                Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1;
                \thelo=mail.example.com; envelope-from="user@example.com";
                \treceiver=mx.example.net; mechanism="ip4:192.0.2.0/24"
                """)
    }

    @Test("an IPv6 address is quoted in the field, and bare in the log")
    func ipv6() throws {
        let field = try field("user@example.com", helo: "x", client: "2001:DB8::1")
        #expect(field.unfolded.contains("client-ip=\"2001:db8::1\"; "))
        #expect(
            field.logText.hasPrefix("Pass (mailfrom) identity=mailfrom; client-ip=2001:db8::1; "))
    }

    @Test("HELO identity, null sender, no match, errors")
    func kinds() throws {
        let fake = SPFFake([
            "helo.example.com TXT v=spf1 a:x.example.com", "bad.example.com TXT v=spf1 \"oops",
        ])
        let client = IPAddress.v4(1)
        let evaluator = SPFEvaluator(resolver: fake, time: .system)
        let helo = evaluator.check(.helo(Array("helo.example.com".utf8), client: client))
        #expect(
            ReceivedSPF(helo).unfolded
                == "Neutral (helo) identity=helo; client-ip=0.0.0.1; helo=helo.example.com; "
                + "receiver=\"<UNKNOWN>\"; mechanism=default")
        let null = try fake.check("", helo: "helo.example.com")
        #expect(
            ReceivedSPF(null).logText
                == "Neutral (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=helo.example.com; "
                + "envelope-from=\"<>\"; receiver=\"<UNKNOWN>\"; mechanism=default")
        let bad = try fake.check("u@bad.example.com")
        #expect(
            ReceivedSPF(bad).unfolded.hasSuffix(
                "; problem=\"the SPF record of bad.example.com has a term without a name at character 8\""
            ))
        let none = try fake.check("u@nothing.example.com")
        #expect(ReceivedSPF(none, receiver: "r.example").unfolded.hasSuffix("; receiver=r.example"))
    }

    /// What a client may say to break out of its value.
    static let attacks = [
        "a\r\nX-Forged: yes", "a\nb", "a\"; receiver=evil; x=\"", "a\\", "a\\\"b", "(comment", ")",
        "a;b",
        "\0", "\u{7F}", "j\u{F6}rg", "a b", "", ".", "a..b", String(repeating: "x", count: 5_000),
        String(repeating: "\"", count: 600),
    ]

    @Test("no text of the client's breaks out of its value", arguments: attacks)
    func hostile(_ attack: String) throws {
        for field in [
            try field("\(attack)@example.com", helo: attack), try field(attack, helo: attack),
            try field("u@example.com", helo: attack, record: "v=spf1 \(attack)"),
        ] {
            for text in [field.unfolded, field.logText, field.folded.replacing("\n\t", with: " ")] {
                #expect(
                    text.unicodeScalars.allSatisfy { 0x20...0x7E ~= $0.value || $0 == "\u{F6}" })
                let keys = ReceivedSPFTests.keys(text)
                #expect(
                    keys.prefix(5) == [
                        "identity", "client-ip", "helo", "envelope-from", "receiver",
                    ])
                #expect(keys.count <= 6)
            }
            #expect(field.folded.split(separator: "\n").allSatisfy { $0.utf8.count <= 998 })
            #expect(field.unfolded.utf8.count + "Received-SPF: ".utf8.count <= 998)
        }
    }

    @Test("an address that is too long keeps its domain")
    func long() throws {
        let text = try field(String(repeating: "x", count: 300) + "@example.com", helo: "h")
            .unfolded
        #expect(text.contains("envelope-from=\"...xxx"))
        #expect(text.contains("xxx@example.com\"; "))
    }

    /// The keys of the pairs outside of quoted-strings, as a reader of the grammar sees them.
    private static func keys(_ text: String) -> [String] {
        var pairs = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text.drop(while: { $0 != ")" }).dropFirst(2) {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if !isQuoted, character == ";" {
                pairs.append("")
            } else if !isQuoted {
                pairs[pairs.count - 1].append(character)
            }
        }
        #expect(!isQuoted)
        return pairs.map { $0.drop { $0 == " " }.prefix { $0 != "=" } }.map(String.init)
    }
}
