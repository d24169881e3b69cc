import Foundation
import Glibc
import TestKit
import Testing

/// `signet report import` as scripts and delivery agents use it.
@Suite("signet report import")
struct ReportImportTests {
    /// An aggregate report.
    static func report(
        _ id: String = "r1", domain: String = "example.org", rows: String = row()
    ) -> String {
        """
        <?xml version="1.0"?>
        <feedback><report_metadata><org_name>Reporter</org_name><email>d@reports.example</email>
        <report_id>\(id)</report_id><date_range><begin>1700006400</begin><end>1700092799</end>
        </date_range></report_metadata><policy_published><domain>\(domain)</domain><p>none</p>
        </policy_published>\(rows)</feedback>
        """
    }

    /// A record.
    static func row(
        _ source: String = "192.0.2.1", _ count: Int = 2, dkim: String = "pass",
        spf: String = "fail", results: String = ""
    ) -> String {
        """
        <record><row><source_ip>\(source)</source_ip><count>\(count)</count><policy_evaluated>
        <disposition>none</disposition><dkim>\(dkim)</dkim><spf>\(spf)</spf></policy_evaluated>
        </row><identifiers><header_from>example.org</header_from></identifiers>
        <auth_results>\(results)</auth_results></record>
        """
    }

    private func run(_ arguments: [String]) throws -> SignetCommand.Result {
        try SignetCommand.run(["report", "import"] + arguments)
    }

    @Test func `what is read is counted once, and the rest is kept aside`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let store = folder.file("r.db")
        try folder.makeDirectory("in")
        try folder.write(Self.report(), to: "in/1.xml")
        try folder.write(Self.report("r2", domain: "sub.example.org"), to: "in/2.xml")
        try folder.write(Self.report("r3", domain: "else.example"), to: "in/3.xml")
        try folder.write("no report", to: "in/4.txt")
        let arguments = ["--store", store, "--domains", "example.org", "--json", folder.file("in")]
        let first = try run(arguments)
        #expect(first.status == 65, "\(first.errors)")
        let object = try #require(try first.object())
        #expect(object["imported"] as? Int == 2)
        #expect(object["foreign"] as? Int == 1)
        #expect(object["refused"] as? Int == 1)
        let reports = try #require(object["reports"] as? [[String: Any]])
        #expect(
            reports.map { $0["status"] as? String } == [
                "imported", "imported", "foreign", "refused",
            ])
        #expect(reports[0]["kind"] as? String == "aggregate")
        #expect(reports[0]["rows"] as? Int == 1)
        #expect(reports[0]["messages"] as? Int == 2)
        #expect(reports[0]["begin"] as? Int == 1_700_006_400)
        #expect(reports[3]["reason"] as? String == "it is neither a mail nor a report")
        let kept = try #require(reports[3]["kept"] as? String)
        let aside = "\(store).aside/refused/\(kept)"
        #expect(try String(contentsOfFile: "\(aside).eml", encoding: .utf8) == "no report")
        #expect(try String(contentsOfFile: "\(aside).reason", encoding: .utf8).contains("neither"))

        let second = try #require(try run(arguments).object())
        #expect(second["imported"] as? Int == 0)
        #expect(second["duplicate"] as? Int == 2)
    }

    /// A copy is counted once; what another report says under the same identifier is not lost.
    @Test func `two reports of one identifier are told apart by what they say`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let store = folder.file("r.db")
        func take(_ reports: String...) throws -> [String: Any] {
            for (index, report) in reports.enumerated() {
                try folder.write(report, to: "in-\(index).xml")
            }
            let files = reports.indices.map { folder.file("in-\($0).xml") }
            let result = try run(
                ["--store", store, "--any-domain", "--json", "--remove"] + files)
            return try #require(try result.object())
        }
        func statuses(_ object: [String: Any]) -> [String?] {
            (object["reports"] as? [[String: Any]] ?? []).map { $0["status"] as? String }
        }
        let first = Self.report(rows: Self.row())
        let other = Self.report(rows: Self.row("192.0.2.1", 7))
        let nextDay = first.replacingOccurrences(of: "1700006400", with: "1700092800")
            .replacingOccurrences(of: "1700092799", with: "1700179199")
        // Within one run, and in the next.
        let once = try take(first, first, other, nextDay, nextDay)
        #expect(statuses(once) == ["imported", "duplicate", "refused", "imported", "duplicate"])
        let again = try take(nextDay, other, first)
        #expect(statuses(again) == ["duplicate", "refused", "duplicate"])
        let reports = try #require(once["reports"] as? [[String: Any]])
        #expect(
            reports[2]["reason"] as? String
                == "a report of this identifier is counted already, and says something else: 2 messages"
                + " of which 2 passed, 1 records, 2023-11-15, not 7 messages of which 7 passed, 1 records, "
                + "2023-11-15")
        #expect((reports[2]["kept"] as? String)?.isEmpty == false)
        #expect(reports[3]["id"] as? String == "r1 (2023-11-16)")
        #expect("\(reports[3]["notes"] ?? "")".contains("about other days, too"))
    }

    @Test func `an mbox and a Maildir are read message by message`() throws {
        let folder = try TemporaryDirectory("signet-import")
        func mail(_ id: String) -> String {
            "From: d@reports.example\nContent-Type: text/xml\n\n\(Self.report(id))\n"
        }
        let mbox = ["a", "b"].map { "From x@y Tue Apr 30 02:09:16 2019\n\(mail($0))\n" }.joined()
        try folder.write(mbox, to: "mbox")
        for name in ["cur", "new", "tmp"] { try folder.makeDirectory("Maildir/\(name)") }
        try folder.write(mail("b"), to: "Maildir/cur/1:2,S")
        try folder.write(mail("c"), to: "Maildir/new/2")
        try folder.write(mail("d"), to: "Maildir/tmp/3")
        let result = try run([
            "--store", folder.file("r.db"), "--any-domain", folder.file("mbox"),
            folder.file("Maildir"),
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.hasSuffix("imported 3, duplicate 1, refused 0, foreign 0\n"))
    }

    /// What the topmost Authentication-Results fields of a mail are, and why it is not counted; nil where it is.
    static let authentications: [(fields: String, reason: String?)] = [
        ("Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n", nil),
        (
            "Authentication-Results: other.example; dmarc=fail header.from=reports.example\n"
                + "Authentication-Results: MX.example; spf=pass smtp.mailfrom=a.example\n"
                + "Authentication-Results: mx.example;\n dmarc=pass (p=none) header.from=Reports.Example\n",
            nil
        ),
        // AuthservIDWithJobID.
        (
            "Authentication-Results: mx.example/4Qx1Yz2; dmarc=pass header.from=reports.example\n",
            nil
        ),
        ("", "does not say"),
        ("Authentication-Results: mx.example; none\n", "does not say"),
        // What is below a field of ours that cannot be read may be somebody else's.
        (
            "Authentication-Results: mx.example; dmarc=fail header.from=\n"
                + "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n",
            "cannot be read"
        ),
        (
            "Authentication-Results: mx.example 2; dmarc=fail header.from=reports.example\n"
                + "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n",
            "cannot be read"
        ),
        (
            "Authentication-Results: other.example; dmarc=pass header.from=reports.example\n",
            "does not say"
        ),
        (
            "Authentication-Results: mx.example; dmarc=fail header.from=reports.example\n",
            "dmarc=fail"
        ),
        (
            "Authentication-Results: mx.example; dmarc=none header.from=reports.example\n",
            "dmarc=none"
        ),
        (
            "Authentication-Results: mx.example; dmarc=fail header.from=reports.example\n"
                + "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n",
            "dmarc=fail"
        ),
        (
            "Authentication-Results: mx.example; dmarc=pass header.from=evil.example\n",
            "passed for evil.example"
        ),
        ("Authentication-Results: mx.example; dmarc=pass\n", "passed for nobody"),
        (
            "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\nFrom: x@evil.example\n",
            "has 2 From fields"
        ),
        // RFC 5322, section 3.6: one From field, whatever the others name.
        (
            "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n"
                + "From: y@reports.example\n",
            "has 2 From fields"
        ),
    ]

    /// One field may name several authors, too: it is not known which of them DMARC has passed for.
    @Test func `an author of two domains is no author`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let mail =
            "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n"
            + "From: a@reports.example, b@evil.example\nContent-Type: text/xml\n\n\(Self.report())\n"
        try folder.write(mail, to: "mail")
        let result = try run([
            "--store", folder.file("r.db"), "--any-domain", "--authserv-id", "mx.example",
            folder.file("mail"),
        ])
        #expect(result.status == 65)
        #expect(result.output.contains("does not name one domain"))
    }

    /// What was kept aside is read again as it is, and its reasons are no mails.
    @Test(arguments: [[], ["--remove"]])
    func `what is kept aside can be imported again`(_ options: [String]) throws {
        let folder = try TemporaryDirectory("signet-import")
        let store = folder.file("r.db")
        try folder.makeDirectory("in")
        try folder.write(Self.report("r1", domain: "else.example"), to: "in/1.xml")
        try folder.write("no report", to: "in/2.xml")
        let arguments = ["--store", store] + options
        #expect(try run(arguments + ["--domains", "example.org", folder.file("in")]).status == 65)
        func names(_ place: String) -> [String] {
            let path = "\(store).aside/\(place)"
            return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        }
        let (refused, foreign) = (names("refused"), names("foreign"))
        #expect(refused.count == 2 && foreign.count == 2)
        func reason() throws -> String {
            let name = try #require(names("refused").last)
            return try String(contentsOfFile: "\(store).aside/refused/\(name)", encoding: .utf8)
        }
        let before = try reason()

        // Nothing has changed: all stays as it is.
        let again = try run(arguments + ["--domains", "example.org", "\(store).aside"])
        #expect(again.output.hasSuffix("imported 0, duplicate 0, refused 1, foreign 1\n"))
        #expect(names("refused") == refused && names("foreign") == foreign)
        #expect(try reason() == before)

        // What was about somebody else is about us now.
        let last = try run(
            arguments + ["--domains", "else.example", "\(store).aside/refused"]
                + foreign.map { "\(store).aside/foreign/\($0)" })
        #expect(last.output.hasSuffix("imported 1, duplicate 0, refused 1, foreign 0\n"))
        #expect(names("refused") == refused && names("foreign").isEmpty)
        let why = try SignetCommand.run(["report", "why", "--store", store])
        #expect(why.output.contains("refused: ") && !why.output.contains("else.example"))
    }

    @Test(arguments: authentications.indices)
    func `of mails only those count whose author is known, where that is asked for`(
        _ index: Int
    ) throws {
        let (fields, reason) = Self.authentications[index]
        let folder = try TemporaryDirectory("signet-import")
        let store = folder.file("r.db")
        let mail =
            "\(fields)From: DMARC <d@reports.example>\nContent-Type: text/xml\n\n\(Self.report())\n"
        try folder.write(mail, to: "mail")
        let result = try run([
            "--store", store, "--any-domain", "--json", "--authserv-id", "mx2.example,mx.example",
            folder.file("mail"),
        ])
        let object = try #require(try result.object(), "\(result.errors)")
        #expect(object["imported"] as? Int == (reason == nil ? 1 : 0))
        #expect(result.status == (reason == nil ? 0 : 65))
        guard let reason else { return }
        let reports = try #require(object["reports"] as? [[String: Any]])
        #expect((reports[0]["reason"] as? String)?.contains(reason) == true, "\(reports)")
        let kept = try #require(reports[0]["kept"] as? String)
        let aside = "\(store).aside/unauthenticated/\(kept).eml"
        #expect(FileManager.default.fileExists(atPath: aside))
    }

    /// The administrator's first import is not to keep the unit, which is another user, from its own store.
    @Test(.enabled(if: geteuid() == 0))
    func `what root makes belongs to the owner of the folder`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.makeDirectory("state")
        try FileManager.default.setAttributes(
            [.ownerAccountID: 65_534, .groupOwnerAccountID: 65_534],
            ofItemAtPath: folder.file("state"))
        try folder.write(Self.report(), to: "1.xml")
        try folder.write("no report", to: "2.xml")
        let result = try run([
            "--store", folder.file("state/r.db"), "--any-domain", folder.file("1.xml"),
            folder.file("2.xml"),
        ])
        #expect(result.status == 65)
        let names = FileManager.default.enumerator(atPath: folder.file("state"))
        let made = (names?.allObjects as? [String]) ?? []
        #expect(made.contains { $0.hasSuffix(".reason") })
        for name in made {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.file("state/\(name)"))
            #expect(attributes[.ownerAccountID] as? Int == 65_534, "\(name)")
        }
    }

    @Test(arguments: [[], ["--delivery"]])
    func `a unit says what it keeps aside`(_ options: [String]) throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.write("no report", to: "2.xml")
        let result = try run(
            ["--store", folder.file("r.db"), "--any-domain", folder.file("2.xml")] + options)
        #expect(result.errors.contains("kept aside: 1; the first: ") == !options.isEmpty)
        #expect(result.output.isEmpty == !options.isEmpty)
    }

    /// The text of a mail may look like the next one, with our results field in it.
    @Test func `in a mbox nothing is authenticated`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let inner =
            "Authentication-Results: mx.example; dmarc=pass header.from=reports.example\n"
            + "From: d@reports.example\nContent-Type: text/xml\n\n\(Self.report())\n"
        try folder.write(
            "From x Tue Apr 30 02:09:16 2019\nFrom: x@evil.example\n\nHello.\n\n"
                + "From y Tue Apr 30 02:09:16 2019\n\(inner)", to: "mbox")
        let result = try run([
            "--store", folder.file("r.db"), "--any-domain", "--authserv-id", "mx.example",
            folder.file("mbox"),
        ])
        #expect(result.status == 65)
        #expect(result.output.contains("it is in a mbox"))
        #expect(!result.output.contains("imported:"))
    }

    @Test func `a file is no mail that anybody has authenticated`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.write(Self.report(), to: "r.xml")
        let result = try run([
            "--store", folder.file("r.db"), "--any-domain", "--authserv-id", "mx.example",
            folder.file("r.xml"),
        ])
        #expect(result.status == 65)
        #expect(result.output.contains("it is no mail"))
    }

    @Test func `a store that cannot be written is tried again`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.write(Self.report(), to: "1.xml")
        let result = try run([
            "--store", folder.file("missing/r.db"), "--any-domain", folder.file("1.xml"),
        ])
        #expect(result.status == 75)
        let unknown = try run(["--store", folder.file("r.db"), folder.file("1.xml")])
        #expect(unknown.status == 78 || FileManager.default.fileExists(atPath: "/etc/signet"))
        #expect(
            try run(["--store", folder.file("r.db"), "--any-domain", "/nonexistent"]).status == 66)
    }

    @Test func `old reports are forgotten, and files removed, where that is asked for`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.makeDirectory("in")
        try folder.write(Self.report("old"), to: "in/1.xml")
        try folder.write("no report", to: "in/2.xml")
        let arguments = ["--any-domain", "--store", folder.file("r.db"), "--remove"]
        #expect(try run(arguments + [folder.file("in")]).status == 65)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("in")) == [])
        func isKnown() throws -> Bool {
            try SignetCommand.run([
                "report", "why", "old", "--store", folder.file("r.db"),
            ]).status == 0
        }
        #expect(try isKnown())
        try folder.write(Self.report("else"), to: "in/3.xml")
        #expect(try run(arguments + ["--keep", "400", folder.file("in/3.xml")]).status == 0)
        #expect(try !isKnown())
    }

    @Test func `the store is bounded, and what is forgotten for it is said`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.makeDirectory("in")
        for number in 0..<60 {
            let begin = 1_700_006_400 + number * 86_400
            let rows = (0..<1000).map { row in
                Self.row("10.\(number).\(row / 250).\(row % 250)", 1, dkim: "fail")
            }
            try folder.write(
                Self.report("r\(number)", rows: rows.joined())
                    .replacingOccurrences(of: "1700006400", with: "\(begin)")
                    .replacingOccurrences(of: "1700092799", with: "\(begin + 86_399)"),
                to: "in/\(number).xml")
        }
        let path = folder.file("r.db")
        let result = try run([
            "--any-domain", "--store", path, "--limit", "1M", "--json", folder.file("in"),
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("the store has outgrown --limit"))
        #expect(result.output.contains("\"imported\" : 60"))
        #expect(!result.output.contains("\"forgotten\" : 0"))
        func isKnown(_ id: String) throws -> Bool {
            try SignetCommand.run(["report", "why", id, "--store", path]).status == 0
        }
        #expect(try !isKnown("r0"))
        #expect(try isKnown("r59"))
        #expect(try run(["--any-domain", "--limit", "1", folder.file("in")]).status == 64)
    }

    /// local(8) and pipe(8) would send the mail back for any status but 0 and 75.
    @Test func `as a delivery it never bounces`() throws {
        let folder = try TemporaryDirectory("signet-import")
        try folder.write("From: a@example.org\nSubject: x\n\nNo report.\n", to: "mail")
        let arguments = ["--delivery", "--store", folder.file("r.db")]
        let refused = try run(arguments + ["--any-domain", folder.file("mail")])
        #expect(refused.status == 0)
        #expect(refused.output.isEmpty)
        #expect(try run(arguments + ["--domains", "example.org", "/nonexistent"]).status == 75)
        #expect(try run(arguments + ["--domains", "a..b", folder.file("mail")]).status == 75)
        let store = try run([
            "--delivery", "--any-domain", "--store", "/nonexistent/r.db", folder.file("mail"),
        ])
        #expect(store.status == 75)
    }

    /// What is about the year 2199 would be there for ever, and put every real report among the old ones.
    @Test func `a report about the future is refused`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let text = Self.report().replacing("<end>1700092799<", with: "<end>7258118399<")
        try folder.write(text, to: "r.xml")
        let result = try run([
            "--any-domain", "--json", "--store", folder.file("r.db"), folder.file("r.xml"),
        ])
        #expect(result.status == 65)
        let reports = try #require(try result.object()?["reports"] as? [[String: Any]])
        #expect(reports.first?["reason"] as? String == "its period is in the future")
        #expect(reports.first?["id"] as? String == "r1")
    }

    /// local(8) writes "From " before a mail, and leaves such lines in it as they are.
    @Test func `a delivery is one mail, whatever lines are in it`() throws {
        let folder = try TemporaryDirectory("signet-import")
        let mail =
            "From a@example.org Mon Jan  1 00:00:00 2024\nFrom: a@example.org\nSubject: x\n\n"
            + String(repeating: "From \n\n", count: 20)
        let arguments = ["report", "import", "--any-domain", "--store", folder.file("r.db")]
        func kept() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: folder.file("r.db.aside/refused"))
                .count { $0.hasSuffix(".eml") }
        }
        #expect(try SignetCommand.run(arguments + ["--delivery"], input: mail).status == 0)
        #expect(try kept() == 1)
        // Without a delivery it is an mbox.
        #expect(try SignetCommand.run(arguments, input: mail).status == 65)
        #expect(try kept() > 1)
    }
}
