import Configuration
import MailCrypto
import MailSyntax
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

extension Behaviours {
    /// Which keys sign.
    static let keys: Checks = [
        "Domain": {
            let keys = try Keys.shared.get()
            let text = keys.single.replacing("example.org", with: "example.com, EXAMPLE.org")
            let tags = try pass(ours(text)).signatures
            #expect(tags.map { $0["d"] } == ["example.org"])
            let other = try pass(ours(text), .plain.with(("From", "a@sub.example.org")))
            #expect(other.log.contains("4XyZ: sub.example.org is not in Domain; not signed"))
            #expect(errors("Selector mail\nKeyFile \(keys.rsaPath)\n").count == 1)
            // opendkim starts with it, and it matches nothing.
            let pattern = keys.single.replacing("example.org", with: "*.example.org")
            #expect(read(pattern).problems.map(\.severity) == [.warning])
            #expect(
                read(pattern).problems[0].suggestion == "write example.org, and SubDomains yes")
            #expect(!errors(keys.single.replacing("example.org", with: "a b")).isEmpty)
            // Any domain is signed for, and nobody's name is guarded.
            let any = keys.single.replacing("example.org", with: "*")
            #expect(try pass(ours(any)).signatures.map { $0["d"] } == ["example.org"])
            let stranger = try pass(any)
            #expect(stranger.signatures.isEmpty && !stranger.logs("attempted to send"))
            #expect(!errors("Domain example.org\n").isEmpty)
            // U-labels are looked up, and signed, as A-labels (RFC 8616).
            let idn = keys.single.replacing("example.org", with: "bücher.example")
            let sender = MailMessage.plain.with(("From", "leser@bücher.example"))
            #expect(
                try pass(ours(idn), sender).signatures.map { $0["d"] }
                    == ["xn--bcher-kva.example"])
        },
        "SubDomains": {
            let text = ours("SubDomains yes\n" + (try Keys.shared.get().single))
            let tags = try pass(text, .plain.with(("From", "a@x.y.example.org"))).signatures
            #expect(tags.map { $0["d"] } == ["example.org"])
            #expect(
                try pass(text, .plain.with(("From", "a@notexample.org"))).signatures.isEmpty)
        },
        "Selector": {
            let keys = try Keys.shared.get()
            let text = keys.single.replacing("Selector mail", with: "Selector 2026.mail")
            #expect(try pass(ours(text)).signatures.map { $0["s"] } == ["2026.mail"])
            #expect(!errors(keys.single.replacing("Selector mail", with: "Selector a b")).isEmpty)
            #expect(errors("Domain example.org\nKeyFile \(keys.rsaPath)\n").count == 1)
        },
        "KeyFile": {
            let keys = try Keys.shared.get()
            #expect(try pass(ours(keys.single)).signatures.map { $0["a"] } == ["rsa-sha256"])
            let text = keys.single.replacing("rsa.private", with: "ed25519.private")
            #expect(try pass(ours(text)).signatures.map { $0["a"] } == ["ed25519-sha256"])
            let missing = keys.single.replacing("rsa.private", with: "none.private")
            #expect(errors(missing).first?.contains("cannot be read") == true)
            for (name, contents) in [("empty", ""), ("noise", "no key\n")] {
                let path = try keys.directory.write(contents, to: name, mode: 0o600)
                #expect(errors(keys.single.replacing(keys.rsaPath, with: path)).count == 1)
            }
        },
        "SelectorEd25519": {
            let keys = try Keys.shared.get()
            #expect(try pass(ours(keys.twins)).signatures.map { $0["s"] } == ["mail", "ed"])
            #expect(errors(keys.single + "SelectorEd25519 ed\n").count == 1)
        },
        "KeyFileEd25519": {
            let keys = try Keys.shared.get()
            #expect(
                try pass(ours(keys.twins)).signatures.map { $0["a"] }
                    == ["rsa-sha256", "ed25519-sha256"])
            // dkimpy's form: the seed in base64.
            let seed = Array(repeating: UInt8(7), count: 32)
            let path = try keys.directory.write(
                Base64.encode(seed) + "\n", to: "seed.key", mode: 0o600)
            let text = keys.twins.replacing(keys.ed25519Path, with: path)
            #expect(try pass(ours(text)).signatures.count == 2)
        },
        "KeyTable": {
            let keys = try Keys.shared.get()
            let signing = "SigningTable csl:example.org=one\n"
            let tags = { (line: String) throws -> [[String: String]] in
                let path = try keys.directory.write(line, to: "KeyTable")
                return try pass(ours("KeyTable file:\(path)\n" + signing)).signatures
            }
            #expect(try tags("one example.com:s:\(keys.rsaPath)\n")[0]["d"] == "example.com")
            #expect(try tags("one %:s:\(keys.rsaPath)\n")[0]["d"] == "example.org")
            // The key's path may depend on the sender's domain.
            try keys.write(keys.ed25519, to: "example.org.key")
            let perDomain = "one %:s:\(keys.directory.path)/%.key\n"
            #expect(try tags(perDomain)[0]["a"] == "ed25519-sha256")
            // The key itself may stand there.
            let pem = String(decoding: Keys.pem(keys.ed25519), as: UTF8.self)
            let inline = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
            #expect(try tags("one %:s:\(inline)\n")[0]["a"] == "ed25519-sha256")
            // OpenDKIM's later form names the algorithm.
            #expect(try tags("one %:s:\(keys.rsaPath):rsa-sha256\n").count == 1)
            for bad in [
                "one %:s\n", "one %:s:\(keys.rsaPath):ed25519-sha256\n", "one %:s:/none\n",
                "one a b:s:\(keys.rsaPath)\n", "one %:.:\(keys.rsaPath)\n", "one %:s:./key\n",
                "* %:s:\(keys.rsaPath)\n", "two %:s:\(keys.rsaPath)\n",
            ] {
                #expect(throws: Unusable.self, "\(bad)") { try tags(bad) }
            }
            #expect(!errors("KeyTable csl:a=b:c:\(keys.rsaPath)\n").isEmpty)
        },
        "KeyTableEd25519": {
            let keys = try Keys.shared.get()
            let directory = keys.directory
            try directory.write("one %:mail:\(keys.rsaPath)\n", to: "KeyTable.rsa")
            try directory.write("one %:ed:\(keys.ed25519Path)\n", to: "KeyTable.ed")
            let text = """
                KeyTable file:\(directory.file("KeyTable.rsa"))
                KeyTableEd25519 file:\(directory.file("KeyTable.ed"))
                SigningTable csl:*=one

                """
            #expect(try pass(ours(text)).signatures.map { $0["s"] } == ["mail", "ed"])
        },
        "KeyDirectory": { try KeyDirectoryCases.check() },
        "KeyMaximumAge": {
            let path = try Keys.shared.get().write(Keys.shared.get().ed25519, to: "old.private")
            try Command.require("/usr/bin/touch", ["-d", "@1000000000", path])
            let text = "Domain example.org\nSelector mail\nKeyFile \(path)\n"
            #expect(read(text).problems.isEmpty)
            let warnings = read("KeyMaximumAge 180d\n" + text).problems
            #expect(warnings.map(\.severity) == [.warning])
            #expect(warnings[0].message.contains("older than KeyMaximumAge"))
        },
        "SigningTable": { try SigningTableCases.check() },
        "BaseDirectory": {
            let directory = try Keys.shared.get().directory
            try directory.write("k %:mail:./rsa.private\n", to: "relative.keys")
            try directory.write("*@example.org k\n", to: "relative.senders")
            let text =
                "BaseDirectory \(directory.path)\nKeyTable file:relative.keys\n"
                + "SigningTable refile:./relative.senders\n"
            let problems = read(text).problems
            #expect(problems.map(\.severity) == [.warning, .warning, .warning])
            #expect(
                problems.map(\.description).joined().contains(
                    "\"./rsa.private\" is taken for \(directory.path)/rsa.private"))
            #expect(try pass(ours(text)).signatures.count == 1)
            // A path without its "./" could be a key: the folder is named that would be looked in.
            for path in ["rsa.private", "keys/mail"] {
                try directory.write("k %:mail:\(path)\n", to: "relative.keys")
                #expect(
                    read(text).problems.map(\.description).contains {
                        $0.contains("\"\(path)\" is neither a key nor a path")
                            && $0.hasSuffix("or ./\(path) for a file in \(directory.path)")
                    })
            }
        },
        "MultipleSignatures": {
            let keys = try Keys.shared.get()
            let directory = keys.directory
            try directory.write(
                "rsa %:mail:\(keys.rsaPath)\ned %:ed:\(keys.ed25519Path)\n", to: "KeyTable.two")
            let table = try directory.write("*@example.org rsa\n*@example.org ed\n", to: "two")
            let text =
                "KeyTable file:\(directory.file("KeyTable.two"))\nSigningTable refile:\(table)\n"
            #expect(try pass(ours(text)).signatures.map { $0["s"] } == ["mail"])
            let both = try pass(ours("MultipleSignatures yes\n" + text))
            #expect(both.signatures.map { $0["s"] } == ["mail", "ed"])
        },
        "CheckSigningTable": {
            let keys = try Keys.shared.get()
            let text = """
                KeyTable csl:one=%:mail:\(keys.rsaPath)
                SigningTable csl:*@example.org=one,*@example.net=two

                """
            #expect(errors(text).first?.contains("there is no key named \"two\"") == true)
            #expect(errors("CheckSigningTable no\n" + text).isEmpty)
        },
        "RequireSafeKeys": {
            let keys = try Keys.shared.get()
            let path = try keys.write(keys.rsa, to: "open.private", mode: 0o644)
            let text = keys.single.replacing(keys.rsaPath, with: path)
            #expect(errors(text).first?.contains("is open to others (mode 0644)") == true)
            #expect(try pass(ours("RequireSafeKeys no\n" + text)).signatures.count == 1)
        },
        "SignatureAlgorithm": {
            let keys = try Keys.shared.get()
            #expect(errors("SignatureAlgorithm rsa-sha256\n" + keys.single).isEmpty)
            #expect(errors("SignatureAlgorithm ed25519-sha256\n" + keys.single).count == 1)
            #expect(errors("SignatureAlgorithm rsa-sha1\n" + keys.single).count == 1)
        },
    ]

    /// What signatures cover and say.
    static let signing: Checks = [
        "Canonicalization": {
            for (word, tag) in [
                ("simple", "simple/simple"), ("relaxed", "relaxed/simple"),
                ("relaxed/relaxed", "relaxed/relaxed"), ("simple/relaxed", "simple/relaxed"),
            ] {
                let text = "Canonicalization \(word)\n" + (try Keys.shared.get().single)
                #expect(try pass(ours(text)).signatures[0]["c"] == tag)
            }
            #expect(try pass(ours(Keys.shared.get().single)).signatures[0]["c"] == "simple/simple")
        },
        "SignHeaders": {
            let message = MailMessage.plain.with(("X-Own", "1"), ("Content-Type", "text/plain"))
            let names = { (value: String) throws -> [String] in
                let text = "SignHeaders \(value)\nOversignHeaders .\n"
                return try pass(ours(text + Keys.shared.get().single), message).signedNames
            }
            #expect(try Set(names("Subject")) == ["from", "subject"])
            let delta = try Set(names("*,+X-Own,-To,-Content-*"))
            #expect(delta == ["from", "subject", "date", "message-id", "x-own"])
            // Fields that are written on the way are never signed.
            #expect(try names("Received,Return-Path") == ["from"])
            #expect(!errors("SignHeaders a b\n").isEmpty)
        },
        "OmitHeaders": {
            let message = MailMessage.plain.with(("Content-Type", "text/plain"), ("Comments", "x"))
            let names = { (value: String) throws -> [String] in
                let text = "OmitHeaders \(value)\nSignHeaders *,+Comments\nOversignHeaders .\n"
                return try pass(ours(text + Keys.shared.get().single), message).signedNames
            }
            #expect(try names(".").contains("comments"))
            #expect(try !names("*").contains("comments"))
            let names1 = try names("*,+Content-Type,+From,-Comments")
            #expect(!names1.contains("content-type") && names1.contains("comments"))
            // OpenDKIM takes an asterisk in a name for anything.
            let names2 = try names("*,+Content-*,+Sub*,+F*")
            #expect(!names2.contains { ["content-type", "subject"].contains($0) })
            #expect(names2.contains("from") && names2.contains("to"))
            let inside = read(ours("OmitHeaders *,*-Id\n" + (try Keys.shared.get().single)))
            #expect(inside.problems.map(\.severity) == [.warning])
            // From is signed whatever is said (RFC 6376, section 5.4).
            #expect(names1.contains("from"))
        },
        "OversignHeaders": {
            let keys = try Keys.shared.get().single
            #expect(try pass(ours(keys)).signedNames.filter { $0 == "from" }.count == 2)
            // RFC 6376, sections 5.4.2 and 8.15: nothing that mail readers show can be put above the signed.
            let ordinary = try MailMessage.plain.signed()
            for name in [
                "Subject", "Reply-To", "Content-Type", "Sender", "Message-ID", "To", "Cc", "Date",
                "MIME-Version", "Content-Transfer-Encoding", "List-Unsubscribe", "In-Reply-To",
                "List-Unsubscribe-Post", "References", "Content-Disposition",
                // Shown or acted upon beside From: a name (RFC 9057), pictures, a logo, a key.
                "Author", "Face", "X-Face", "BIMI-Selector", "Autocrypt",
            ] {
                let added = ordinary.adding((name, "other"))
                #expect(try pass("", added).results[0].contains("dkim=fail"), "\(name)")
            }
            let fewer = try pass(ours("OversignHeaders *,-Sender\n" + keys)).signedNames
            #expect(!fewer.contains("sender") && fewer.filter { $0 == "subject" }.count == 2)
            let text = "OversignHeaders From,Subject,Reply-To\n" + keys
            let names = try pass(ours(text)).signedNames
            #expect(names.filter { $0 == "subject" }.count == 2)
            #expect(names.filter { $0 == "reply-to" }.count == 1)
            let signed = try MailMessage.plain.signed("OversignHeaders Reply-To\n")
            let changed = signed.with(("Reply-To", "eve@example.com"))
            #expect(try pass("", changed).results[0].contains("dkim=fail"))
        },
        "SignatureTTL": {
            let text = "SignatureTTL 1d\nFixedTimestamp 1000\n" + (try Keys.shared.get().single)
            let tags = try pass(ours(text)).signatures[0]
            #expect(tags["t"] == "1000" && tags["x"] == "87400")
            let without = try pass(ours(Keys.shared.get().single)).signatures[0]
            #expect(without["x"] == nil)
        },
        "FixedTimestamp": {
            let text = ours("FixedTimestamp 1234567890\n" + (try Keys.shared.get().single))
            #expect(try pass(text).signatures[0]["t"] == "1234567890")
            #expect(try pass(text).signatures[0]["b"] == pass(text).signatures[0]["b"])
        },
        "Diagnostics": {
            let text = "Diagnostics yes\n" + (try Keys.shared.get().single)
            let copies = try pass(ours(text)).signatures[0]["z"]
            #expect(copies?.contains("Subject:=20Hello") == true)
            // They let the verifier name what was changed.
            let changed = try MailMessage.plain.signed("Diagnostics yes\n")
                .with(("Subject", "Bye"))
            #expect(try pass("", changed).results[0].contains("Subject was changed"))
        },
        "RemoveOldSignatures": {
            let keys = try Keys.shared.get().single
            let message = MailMessage.plain.adding(
                ("DKIM-Signature", "v=1; d=one.example"), ("DKIM-Signature", "v=1; d=two.example"))
            #expect(try pass(ours(keys), message).signatures.count == 3)
            let text = ours("RemoveOldSignatures yes\n" + keys)
            #expect(try pass(text, message).signatures.map { $0["d"] } == ["example.org"])
            // Mail that is verified keeps its signatures.
            let verified = try pass("RemoveOldSignatures yes\n" + keys, message)
            #expect(verified.signatures.count == 2)
        },
    ]
}

/// SigningTable as a table: what stands in it, who sends, and the keys that sign.
private enum SigningTableCases {
    static let cases: [(lines: String, kind: String, sender: String, keys: [String])] = [
        ("*@example.org a", "refile", "x@example.org", ["a"]),
        ("*@example.org a", "refile", "x@EXAMPLE.ORG", ["a"]),
        ("*@example.org a", "refile", "x@sub.example.org", []),
        ("*@*.example.org a", "refile", "x@sub.example.org", ["a"]),
        ("news*@example.org b\n*@example.org a", "refile", "news-7@example.org", ["b"]),
        ("*@example.org a\nnews*@example.org b", "refile", "news-7@example.org", ["a"]),
        ("* a", "refile", "x@example.com", ["a"]),
        ("x@example.org b\nexample.org a", "file", "x@example.org", ["b"]),
        ("example.org a\nx@example.org b", "file", "x@example.org", ["b"]),
        ("example.org a", "file", "y@example.org", ["a"]),
        ("example.org a", "file", "y@sub.example.org", []),
        ("x@.org b\n.example.org a", "file", "x@sub.example.org", ["b"]),
        (".example.org a", "file", "y@sub.example.org", ["a"]),
        ("x@* b\n* a", "file", "x@example.com", ["b"]),
        ("x@* b\n* a", "file", "y@example.com", ["a"]),
        ("* %", "file", "y@example.org", ["example.org"]),
        ("* %", "file", "y@example.com", []),
        (#""x y"@example.org b"#, "refile", "z@example.org", []),
    ]

    static func check() throws {
        let keys = try Keys.shared.get()
        let directory = try TemporaryDirectory()
        let table = ["a", "b", "example.org"].map { "\($0) %:\($0):\(keys.ed25519Path)\n" }
        let keyTable = try directory.write(table.joined(), to: "KeyTable")
        for (lines, kind, sender, expected) in cases {
            let path = try directory.write(lines + "\n", to: "SigningTable")
            let text = "KeyTable \(keyTable)\nSigningTable \(kind):\(path)\n"
            if lines.contains("y\"@") {
                // White space ends the key, so a quoted local part cannot stand there.
                #expect(!errors(text).isEmpty)
                continue
            }
            let passage = try pass(ours(text), .plain.with(("From", sender)))
            #expect(passage.signatures.map { $0["s"] } == expected, "\(lines) for \(sender)")
            if expected.isEmpty, !lines.contains("%") {
                #expect(
                    passage.log.contains(
                        "4XyZ: no signing table match for '\(sender)'; not signed"))
            }
        }
        // The second field is i=, with % for the sender's domain, and left out where it would conflict.
        for (value, identity) in [
            ("a:%", nil), ("a:@%", "@example.org"), ("a:list@lists.%", "list@lists.example.org"),
            ("a:x@example.com", nil),
        ] as [(String, String?)] {
            let path = try directory.write("*@example.org \(value)\n", to: "SigningTable")
            let text = "KeyTable \(keyTable)\nSigningTable refile:\(path)\n"
            #expect(try pass(ours(text)).signatures[0]["i"] == identity, "\(value)")
        }
        #expect(!errors("KeyTable \(keyTable)\nSigningTable csl:example.org=none\n").isEmpty)
        #expect(!errors("KeyTable \(keyTable)\nSigningTable csl:example.org\n").isEmpty)
        #expect(!errors("KeyTable \(keyTable)\n").isEmpty)
    }
}
