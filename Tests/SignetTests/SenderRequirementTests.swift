import Foundation
import MailCrypto
import Testing

/// What `signet check` says of the things that large receivers ask of senders.
@Suite struct SenderRequirementTests {
    private static let zone = """
        $ORIGIN example.org.
        @ TXT "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"
        _dmarc TXT "v=DMARC1; p=reject"
        mail A 192.0.2.1
        1.2.0.192.in-addr.arpa. PTR mail.example.org.
        2.2.0.192.in-addr.arpa. PTR mail.example.org.

        """

    private static let list = """
        List-Unsubscribe: <mailto:off@example.org>, <https://example.org/off/1>
        List-Unsubscribe-Post: List-Unsubscribe=One-Click

        """

    /// The results by requirement.
    private static func results(
        _ fields: String = "", client: String? = "192.0.2.1", author: String = "ann@example.org"
    ) throws -> [String: String] {
        let message = "From: \(author)\nSubject: test\n\(fields)\nGood morning.\n"
        let envelope = client.map { ["--ip", $0, "--helo", "mail.example.org", "--from", author] }
        return try results(of: message, zone: zone, envelope ?? [])
    }

    private static func results(
        of message: String, zone: String, _ options: [String] = []
    ) throws -> [String: String] {
        let run = try SignetCommand.run(
            ["check", "message", "--json", "--zone", "zone"] + options,
            files: ["message": message, "zone": zone])
        let items = try #require(try run.object()?["requirements"] as? [[String: Any]])
        #expect(items.allSatisfy { ($0["what"] as? String)?.isEmpty == false })
        return Dictionary(
            uniqueKeysWithValues: items.compactMap { item in
                guard let id = item["id"] as? String, let result = item["result"] as? String
                else { return nil }
                return (id, result)
            })
    }

    @Test func `a message that nobody signed passes by its address alone`() throws {
        #expect(
            try Self.results() == [
                "spf.aligned": "ok", "dkim.aligned": "missing", "dmarc.record": "ok", "ptr": "ok",
            ])
    }

    @Test func `without an address that is not known`() throws {
        let found = try Self.results(client: nil)
        #expect(found["spf.aligned"] == "unknown" && found["ptr"] == "unknown")
    }

    @Test func `what the DNS gives no answer for is not missing`() throws {
        let run = try SignetCommand.run(
            ["check", "message", "--json", "--nameserver", "127.0.0.1@1", "--ip", "192.0.2.1"]
                + ["--helo", "mail.example.org", "--from", "ann@example.org"],
            files: ["message": "From: ann@example.org\n\nGood morning.\n"])
        let items = try #require(try run.object()?["requirements"] as? [[String: Any]])
        let open = items.filter { $0["result"] as? String == "unknown" }
        #expect(
            Set(open.compactMap { $0["id"] as? String }) == ["spf.aligned", "dmarc.record", "ptr"])
        #expect(
            open.allSatisfy { ($0["what"] as? String)?.contains("not") == true }, "\(open)")
    }

    @Test func `an address without a name, or with one that does not lead back, is told`() throws {
        #expect(try Self.results(client: "192.0.2.2")["ptr"] == "missing")
        #expect(try Self.results(client: "192.0.2.3")["ptr"] == "missing")
        #expect(try Self.results(client: "2001:db8::1")["ptr"] == "missing")
    }

    @Test func `a domain without a policy is told`() throws {
        let found = try Self.results(author: "ann@example.net")
        #expect(found["dmarc.record"] == "missing" && found["spf.aligned"] == "missing")
    }

    /// Alignment is one thing, a policy another: one is missing, and not the other.
    @Test func `a signature of the author's domain is aligned without a policy, too`() throws {
        let pair = try SigningPair { try PrivateKey.generateEd25519() }
        for (author, result) in [("example.org", "ok"), ("example.net", "missing")] {
            let signed = try pair.sign("From: ann@\(author)\n\nGood morning.\n").output
            let found = try Self.results(of: signed, zone: pair.zone)
            #expect(found["dkim.aligned"] == result && found["dmarc.record"] == "missing")
        }
    }

    @Test(arguments: [
        "", "List-Unsubscribe: <https://example.org/off/1>\n",
        "List-Id: <news.example.org>\n",
        "List-Unsubscribe: <mailto:off@example.org>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n",
        "List-Unsubscribe: <https://example.org/off/1>\nList-Unsubscribe-Post: yes\n", list,
    ])
    func `mail of a list needs one click, and a signature over it`(_ fields: String) throws {
        #expect(try Self.results(fields)["unsubscribe"] == (fields.isEmpty ? nil : "missing"))
    }

    @Test func `one click that a valid signature covers is enough`() throws {
        let pair = try SigningPair { try PrivateKey.generateEd25519() }
        let message = "From: ann@example.org\nSubject: test\n\(Self.list)\nGood morning.\n"
        let signed = try pair.sign(message).output
        for (text, result) in [
            (signed, "ok"), (signed.replacing("/off/1", with: "/off/2"), "missing"),
        ] {
            #expect(try Self.results(of: text, zone: pair.zone)["unsubscribe"] == result)
        }
    }

    @Test func `where text was added below a signed body is told`() throws {
        let pair = try SigningPair { try PrivateKey.generateEd25519() }
        let signed = try pair.sign("From: ann@example.org\n\nGood\nmorning.\n").output
        let run = try SignetCommand.run(
            ["check", "message", "--json", "--zone", "zone"],
            files: ["message": signed + "-- \nThe list\n", "zone": pair.zone])
        let signatures = try #require(try run.object()?["dkim"] as? [[String: Any]])
        #expect(signatures.map { $0["added_from_line"] as? Int } == [3])
    }
}
