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

    /// RFC 4155; Thunderbird's files begin with "From - " and a date.
    @Test(
        "a saved message is judged without the line before its header section",
        arguments: [
            "From ann@example.org Fri Nov 20 10:00:00 2026", "From - Fri Nov 20 10:00:00 2026",
        ])
    func saved(_ line: String) throws {
        let run = try SignetCommand.run(
            ["check", "message", "--zone", "zone"] + Self.envelope + ["--json"],
            files: [
                "message": line + "\r\n" + Self.message(from: "ann@example.org"), "zone": Self.zone,
            ])
        let dmarc = try #require(try run.object()?["dmarc"] as? [String: Any])
        #expect(dmarc["result"] as? String == "fail")
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
        #expect(
            Set(object.keys) == [
                "dkim", "spf", "arc", "dmarc", "authentication_results", "caveats",
                "requirements",
            ])
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
            run.output.hasPrefix(
                "? DMARC unknown without the client's address: example.org, DKIM does not pass\n\n")
        )
        #expect(
            run.output.contains("\nSPF unknown    give --ip, --helo and --from, or --from-trace\n"))
        #expect(run.output.contains("\nDMARC unknown  no DKIM signature of an aligned domain"))
        #expect(!run.output.contains("Authentication-Results"))
        #expect(!run.output.contains("\u{1B}"))
        let known = try Self.check("ann@example.org", Self.envelope + ["-v"])
        #expect(
            known.output.hasPrefix("✘ DMARC fail: example.org, the domain asks for reject\n\n"))
        #expect(known.output.contains("\nAuthentication-Results: localhost;"))
    }

    @Test("JSON has the caveat where SPF could not be evaluated, and only there")
    func caveat() throws {
        let without = try Self.check("ann@example.org", ["--json"]).object()
        #expect((without?["caveats"] as? [String])?.count == 2)
        #expect((without?["caveats"] as? [String])?.first?.hasPrefix("SPF was not") == true)
        let with = try Self.check("ann@example.org").object()
        #expect(with?["caveats"] as? [String] == [])
    }

    @Test("the envelope is read out of the trace fields, past local hops, when asked for")
    func trace() throws {
        let trace = """
            Return-Path: <ann@example.org>\r
            Received: from localhost (localhost [127.0.0.1])\r
            \tby mx.example.com (Postfix) with ESMTP id 1; Sat, 21 Nov 2026 08:00:02 +0000\r
            Received: from mail.example.org (mail.example.org [192.0.2.1])\r
            \tby mx.example.com (Postfix) with ESMTP id 2; Sat, 21 Nov 2026 08:00:01 +0000\r
            Received: from forged (forged [198.51.100.9])\r
            \tby mail.example.org; Sat, 21 Nov 2026 08:00:00 +0000\r

            """
        let files = ["message": trace + Self.message(from: "ann@example.org"), "zone": Self.zone]
        let arguments = ["check", "message", "--zone", "zone"]
        let run = try SignetCommand.run(arguments + ["--from-trace"], files: files)
        #expect(run.output.hasPrefix("✔ DMARC pass: example.org, by SPF\n"))
        #expect(run.output.contains("192.0.2.1"))
        let without = try SignetCommand.run(arguments, files: files)
        #expect(without.output.contains("\nSPF unknown"))
        let both = try SignetCommand.run(
            arguments + ["--from-trace", "--ip", "192.0.2.1"], files: files)
        #expect(both.status == 64)
    }

    @Test(
        "the exit status tells the verdict when asked to",
        arguments: [
            ("ann@example.org", envelope, 1), ("ann@example.org", [], 2),
            ("x@spoof.example.net", envelope, 0), ("nobody", envelope, 3),
            ("ann@example.org", ["--ip", "192.0.2.1", "--from", "ann@example.org"], 0),
        ])
    func exitStatus(_ author: String, _ client: [String], _ status: Int32) throws {
        #expect(try Self.check(author, client + ["--exit-status"]).status == status)
        #expect(try Self.check(author, client).status == 0)
    }
}
