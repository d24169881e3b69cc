import Foundation
import MailAuth
import MailCrypto
import MailSyntax
import Testing

/// `signet check` as a postmaster and scripts use it.
@Suite("signet check")
struct CheckCommandTests {
    private static let zone = """
        $ORIGIN example.org.
        @ TXT "v=spf1 ip4:192.0.2.1 -all"
        _dmarc TXT "v=DMARC1; p=reject; sp=quarantine"
        sub A 192.0.2.2
        spoof.example.net. TXT "v=spf1 ip4:198.51.100.0/24 -all"

        """

    private static let envelope = [
        "--ip", "198.51.100.7", "--helo", "mx.example.net", "--from", "x@spoof.example.net",
    ]

    private static func message(from author: String) -> String {
        """
        From: \(author)\r
        To: b@example.com\r
        Subject: test\r
        Date: Sat, 21 Nov 2026 08:00:00 +0000\r
        Message-ID: <1@example.org>\r
        \r
        body\r

        """
    }

    private static func check(
        _ author: String, _ arguments: [String] = envelope + ["--json"]
    ) throws -> SignetCommand.Result {
        try SignetCommand.run(
            ["check", "message", "--zone", "zone"] + arguments,
            files: ["message": message(from: author), "zone": zone])
    }

    @Test(
        "what is forged fails, and the domain's wish is told",
        arguments: [
            ("ann@example.org", "fail", "reject"),
            ("ann@sub.example.org", "fail", "quarantine"),
            ("\"x@spoof.example.net\" <ann@example.org>", "fail", "reject"),
            ("ann@example.org, x@spoof.example.net", "fail", "reject"),
            ("x@spoof.example.net", "none", "none"),
            // RFC 5322, section 4.4: a route is obsolete, and is read.
            ("<@example.org:x@spoof.example.net>", "none", "none"),
            ("nobody", "permerror", "none"),
        ])
    func forged(_ author: String, _ result: String, _ disposition: String) throws {
        let run = try Self.check(author)
        #expect(run.status == 0)
        let dmarc = try #require(try run.object()?["dmarc"] as? [String: Any])
        #expect(dmarc["result"] as? String == result)
        #expect(dmarc["disposition"] as? String == disposition)
    }

    @Test("a signature and a client of the author's domain make it pass, each alone")
    func genuine() throws {
        let key = try PrivateKey.generateEd25519()
        let message = Self.message(from: "ann@example.org")
        let file = try MessageFile(contents: Array(message.utf8))
        var signer = DKIMSigner(
            header: file.header,
            keys: [
                SigningKey(
                    domain: try DomainName("example.org"), selector: try DomainName("s"), key: key)
            ], recipe: SigningRecipe(), time: 1_700_000_000)
        signer.update(file.body.span)
        let field = String(decoding: try signer.finish()[0].value, as: UTF8.self)
            .replacing("\n", with: "\r\n")
        let record = Base64.encode(key.publicKey.recordOctets)
        let files = [
            "message": message, "signed": "DKIM-Signature:\(field)\r\n\(message)",
            "zone": Self.zone + "s._domainkey TXT \"v=DKIM1; k=ed25519; p=\(record)\"\n",
        ]
        let arguments = ["--zone", "zone", "--json", "--at", "1700000000"]

        let signed = try SignetCommand.run(["check", "signed"] + arguments, files: files).object()
        let dkim = try #require((signed?["dkim"] as? [[String: Any]])?.first)
        #expect(dkim["result"] as? String == "pass")
        #expect(dkim["domain"] as? String == "example.org")
        #expect(dkim["selector"] as? String == "s")
        #expect(dkim["algorithm"] as? String == "ed25519-sha256")
        #expect((signed?["dmarc"] as? [String: Any])?["result"] as? String == "pass")
        #expect(signed?["spf"] == nil)

        let sent = try SignetCommand.run(
            ["check", "message", "--ip", "192.0.2.1", "--helo", "h", "--from", "ann@example.org"]
                + arguments, files: files
        ).object()
        #expect((sent?["spf"] as? [String: Any])?["result"] as? String == "pass")
        #expect((sent?["dmarc"] as? [String: Any])?["result"] as? String == "pass")
    }

    @Test("JSON has the keys that are promised, and the results on one line")
    func json() throws {
        let object = try #require(try Self.check("ann@example.org").object())
        #expect(Set(object.keys) == ["dkim", "spf", "arc", "dmarc", "authentication_results"])
        for (key, promised) in [
            "spf": ["result", "domain", "identity"], "arc": ["result", "oldest_pass", "chain"],
            "dmarc": ["result", "policy", "disposition", "domain"],
        ] {
            let part = try #require(object[key] as? [String: Any])
            #expect(Set(promised).isSubset(of: part.keys), "\(key)")
        }
        let field = try #require(object["authentication_results"] as? String)
        #expect(field.hasPrefix("localhost; spf=pass "))
        #expect(field.contains(" header.from=example.org"))
        #expect(!field.contains("\n"))
    }

    @Test("of several messages each is told, and one that cannot be read spoils only itself")
    func several() throws {
        let run = try SignetCommand.run(
            ["check", "message", "absent", "--zone", "zone", "--json"],
            files: ["message": Self.message(from: "ann@example.org"), "zone": Self.zone])
        #expect(run.status == 65)
        #expect(run.errors == "signet: absent cannot be read: No such file or directory\n")
        let list = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [Any]
        #expect(list?.count == 1)
    }

    @Test("the text says why, and what was left out")
    func text() throws {
        let run = try Self.check("ann@example.org", [])
        #expect(
            run.output.contains("\nDMARC fail (the domain asks for reject): neither SPF nor DKIM"))
        #expect(run.output.contains("\nDMARC was judged without SPF: give --ip"))
    }
}
