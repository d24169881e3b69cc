import Foundation
import TestKit
import Testing

/// What is shown of imported reports, as users and scripts see it.
@Suite("signet report show, advise, why, html, mail")
struct ReportInsightCommandTests {
    private let folder: TemporaryDirectory
    private var store: String { folder.file("r.db") }

    init() throws {
        folder = try TemporaryDirectory("signet-insight")
        let rows =
            ReportImportTests.row("192.0.2.1", 990, dkim: "pass", spf: "pass")
            + ReportImportTests.row("203.0.113.9", 10, dkim: "fail", spf: "fail")
            + ReportImportTests.row("bad", 1)
        try folder.write(ReportImportTests.report("id-1", rows: rows), to: "1.xml")
        try folder.write("nothing", to: "2.xml")
        let result = try SignetCommand.run([
            "report", "import", "--any-domain", "--store", folder.file("r.db"),
            folder.file("1.xml"), folder.file("2.xml"),
        ])
        guard result.status == 65 else { throw TestKitError(result.errors) }
    }

    private func run(_ arguments: String...) throws -> SignetCommand.Result {
        try SignetCommand.run(["report"] + arguments + ["--store", store])
    }

    @Test func `show gives the answer first, and JSON`() throws {
        let text = try run("show")
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.output.hasPrefix("example.org: 99.0 % of 1,000 messages passed"))
        let object = try #require(try run("show", "example.org", "--json").object())
        let domain = try #require((object["domains"] as? [[String: Any]])?.first)
        #expect(domain["messages"] as? Int == 1000)
        #expect(domain["pass"] as? Int == 990)
        #expect(domain["fail"] as? Int == 10)
        let sources = try #require(domain["sources"] as? [[String: Any]])
        let good = try #require(sources.first { $0["source"] as? String == "192.0.2.1" })
        #expect(good["spf_aligned"] as? Int == 990)
        #expect(good["dkim_aligned"] as? Int == 990)
        #expect(good["first"] as? Int == 1_700_006_400)
        #expect(object["tls"] as? [String] == [])
        let nothing = """
            No reports about these days.
            Kept aside, and not counted: 1 mail or file (1 refused); \
            "signet report why" lists them with their reasons.

            """
        #expect(try run("show", "else.example").output == nothing)
        #expect(try run("show", "--since", "2023-11-16").output == nothing)
        let one = try run("show", "--source", "203.0.113.9").output
        #expect(one.contains("10 messages: 0 passed by SPF and DKIM, 0 by one, 10 failed"))
    }

    @Test func `what is kept aside is counted, and its reasons are listed`() throws {
        try folder.write(ReportImportTests.report("id-9", domain: "else.example"), to: "3.xml")
        let more = try SignetCommand.run([
            "report", "import", "--domains", "example.org", "--store", store, folder.file("3.xml"),
        ])
        #expect(more.output.hasSuffix("refused 0, foreign 1\n"))
        let line =
            "Kept aside, and not counted: 2 mails or files (1 refused, 1 about domains of others)"
        #expect(try run("show").output.contains(line))
        #expect(try run("html", "-").output.contains(line))
        let object = try #require(try run("show", "--json").object())
        #expect(object["kept_aside"] as? [String: Int] == ["mails": 2, "refused": 1, "foreign": 1])

        let all = try run("why").output
        #expect(all.contains("refused: something: it is neither a mail nor a report\n"))
        #expect(all.contains("foreign: aggregate report of Reporter about else.example: it is "))
        let list = try #require(
            try JSONSerialization.jsonObject(with: Data(try run("why", "--json").output.utf8))
                as? [[String: Any]])
        #expect(list.map { $0["status"] as? String } == ["foreign", "refused"])
        let kept = try #require(list[1]["kept"] as? String)
        let expected = try run("why", kept).output
        #expect(expected.hasPrefix("refused: "))
        for name in [
            "\(kept).eml", "\(store).aside/refused/\(kept).reason", "2.xml", folder.file("2.xml"),
        ] {
            #expect(try run("why", name).output == expected, "\(name)")
        }
        #expect(try run("why", "id-9").output.contains("else.example"))
        #expect(try run("why", "4.xml").status == 1)

        // What somebody has taken away is not there any more.
        try FileManager.default.removeItem(atPath: "\(store).aside/refused/\(kept).eml")
        #expect(try run("show").output.contains("not counted: 1 mail or file (1 about domains"))
    }

    /// Names come from the DNS where it is asked, and are confirmed by their addresses.
    @Test func `sources have names that their addresses confirm`() throws {
        let zone = """
            1.2.0.192.in-addr.arpa. PTR mail.example.org.
            mail.example.org. A 192.0.2.1
            9.113.0.203.in-addr.arpa. PTR liar.example.
            liar.example. A 203.0.113.10
            example.org. TXT "v=spf1 ip4:203.0.113.0/24 -all"
            _dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:x@example.org"
            """
        try folder.write(zone, to: "zone")
        let object = try #require(
            try run("show", "--json", "--zone", folder.file("zone")).object())
        let domain = try #require((object["domains"] as? [[String: Any]])?.first)
        let sources = try #require(domain["sources"] as? [[String: Any]])
        let names = Dictionary(
            uniqueKeysWithValues: sources.compactMap { source -> (String, [String])? in
                guard let address = source["source"] as? String,
                    let name = source["name"] as? String, let kind = source["kind"] as? String
                else { return nil }
                return (address, [name, kind])
            })
        #expect(names["192.0.2.1"] == ["example.org", "host"])
        #expect(names["203.0.113.9"] == ["203.0.113.9", "spf"])
        let advice = try #require(
            try run("advise", "example.org", "--json", "--zone", folder.file("zone")).object())
        #expect(advice["recommendation"] as? String == "none")
        #expect(advice["record"] as? String == "v=DMARC1; p=none; rua=mailto:x@example.org")
    }

    @Test func `advise recommends, and why explains`() throws {
        let advice = try #require(try run("advise", "example.org", "--json").object())
        #expect(advice["recommendation"] as? String == "quarantine")
        #expect((advice["record"] as? String)?.hasPrefix("v=DMARC1; p=quarantine; ") == true)
        #expect((advice["reason"] as? String)?.isEmpty == false)
        #expect(try run("advise", "else.example").status == 1)
        let why = try run("why", "id-1")
        #expect(why.output.contains("- record 3: source_ip \"bad\" is not an address"))
        #expect(try run("why", "none").status == 1)
    }

    @Test func `html writes a page, and mail sends one`() throws {
        let page = folder.file("page.html")
        #expect(try run("html", page).status == 0)
        let text = try String(contentsOfFile: page, encoding: .utf8)
        #expect(text.hasPrefix("<!DOCTYPE html>\n"))
        #expect(text.contains("<svg") && text.contains("203.0.113.9"))
        try folder.write("#!/bin/sh\ncat >\(folder.file("mail"))\n", to: "sendmail", mode: 0o755)
        let result = try run(
            "mail", "--to", "a@example.org", "--sendmail", folder.file("sendmail"))
        #expect(result.status == 0, "\(result.errors)")
        let mail = try String(contentsOfFile: folder.file("mail"), encoding: .utf8)
        // The reports are older than a week, and what could not be read has come today: the mail is the heartbeat.
        #expect(mail.contains("Subject: Mail reports: none taken, 1 mail or file kept aside\n"))
        #expect(mail.contains("Content-Type: multipart/alternative"))
        let parts = mail.components(separatedBy: "base64\n\n").dropFirst().compactMap { part in
            part.components(separatedBy: "\n--").first
                .flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }
                .map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(parts.count == 2 && parts.allSatisfy { $0.contains("Kept aside") })
        func subject(since day: String) throws -> String? {
            let result = try run("mail", "--since", day, "--sendmail", folder.file("sendmail"))
            #expect(result.status == 0, "\(result.errors)")
            let mail = try String(contentsOfFile: folder.file("mail"), encoding: .utf8)
            return mail.split(separator: "\n").first { $0.hasPrefix("Subject: ") }
                .map { String($0.dropFirst("Subject: Mail reports: ".count)) }
        }
        #expect(try subject(since: "2999-01-01") == "none about days since 2999-01-01")
        #expect(try subject(since: "2023-01-01") == "99.0 % of 1,000 messages passed")
        #expect(try run("mail", "--to", "x\r\nBcc: y@z.example").status == 64)
        #expect(try SignetCommand.run(["report", "show", "--store", "/nonexistent"]).status == 66)
    }
}
