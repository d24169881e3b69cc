import Foundation
import ReportStore
import TestKit
import Testing

/// `signet report bounce` and `signet report failures` as Postfix and the units use them.
@Suite("signet report bounce, signet report failures")
struct ReportBounceCommandTests {
    /// 2026-11-18.
    private static let day: Int64 = 20_775

    private static let sendmail = """
        #!/bin/sh
        dir=$(dirname "$0")
        copy=$(mktemp "$dir/mail.XXXXXX")
        { printf '%s\\n' "$*"; cat; } > "$copy"
        mv "$copy" "$dir/taken.${copy##*.}"
        """

    private let folder: TemporaryDirectory
    private let configuration: String

    init() throws {
        folder = try TemporaryDirectory("signet-bounce")
        try folder.write(Self.sendmail, to: "sendmail", mode: 0o755)
        try folder.write("$ORIGIN .\n", to: "zone")
        configuration = try folder.write(
            """
            ReportStore \(folder.file("reports.db"))
            OrganizationName Receiver
            ReportEmail dmarc@receiver.example
            ReportBounceAddress bounces@receiver.example
            FailureReportsDirectory \(folder.file("failures"))
            """, to: "dmarc.conf")
        var evaluation = Evaluation(
            received: Self.day * 86_400, reporter: "mx.receiver.example", headerFrom: "example.com",
            result: "pass", disposition: "none")
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.policy = Evaluation.Policy(
            domain: "example.com", applied: "none", p: "none",
            reportAddresses: ["mailto:d@example.com"])
        try SQLiteReportStore(path: folder.file("reports.db")).write([evaluation])
    }

    private func run(_ arguments: String...) throws -> SignetCommand.Result {
        try SignetCommand.run(["report"] + arguments + ["-x", configuration])
    }

    private var mails: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasPrefix("taken.") }
                .map { try String(contentsOfFile: folder.file($0), encoding: .utf8) }
        }
    }

    @Test func `a bounce in a Maildir stops further reports until it is forgotten`() throws {
        let sent = try run(
            "send", "--day", "2026-11-18", "--sendmail", folder.file("sendmail"), "--zone",
            folder.file("zone"))
        #expect(sent.status == 0, "\(sent.errors)")
        let mail = try #require(try mails.first)
        let sender = try #require(mail.split(separator: " ").dropFirst(2).first)
        #expect(sender.hasPrefix("bounces+"))
        try folder.makeDirectory("box")
        try folder.makeDirectory("box/new")
        try folder.makeDirectory("box/cur")
        try folder.write(
            """
            From: MAILER-DAEMON@example.com
            X-Original-To: \(sender)
            Content-Type: multipart/report; report-type=delivery-status; boundary=b

            --b
            Content-Type: message/delivery-status

            Reporting-MTA: dns; mx.example.com

            Final-Recipient: rfc822; d@example.com
            Action: failed
            Status: 5.1.1

            --b--

            """, to: "box/new/1")
        try folder.write("Subject: I am away\n\nFor ever.\n", to: "box/new/2")
        let taken = try run("bounce", "--maildir", folder.file("box"))
        #expect(taken.status == 0, "\(taken.errors)")
        let lines = taken.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("1: nothing to d@example.com until ") == true)
        #expect(lines.last == "2: left alone: no delivery status notification")
        #expect(FileManager.default.fileExists(atPath: folder.file("box/cur/1:2,S")))
        let status = try run("status")
        #expect(status.output.contains("failed: example.com 2026-11-18 to mailto:d@example.com"))
        #expect(status.output.contains("\nnothing to d@example.com until "))
        let bounced = try #require(
            try run("status", "--json").object()?["bounced"] as? [[String: Any]])
        #expect(bounced.first?["address"] as? String == "d@example.com")
        #expect(bounced.first?["permanent"] as? Bool == true)
        #expect(try run("bounce", "--forget", "d@example.com").output.contains("again"))
        #expect(try run("bounce", "--forget", "d@example.com").output.contains("had not bounced"))
        #expect(try run("bounce", "--maildir", "/nowhere").status == 66)
    }

    @Test func `failure reports are handed over once`() throws {
        #expect(try run("failures", "--scheduled").status == 0)
        #expect(try run("failures").status == 66)
        try folder.makeDirectory("failures")
        try folder.write(
            """
            signet-failure-report 1
            id 1-x
            created \(Int(Date().timeIntervalSince1970))
            sender dmarc@receiver.example
            domain example.com
            to mailto:f@example.com
            to mailto:f@other.example

            Subject: failure

            body

            """, to: "failures/1-x.report")
        for count in [1, 0] {
            let result = try run(
                "failures", "--sendmail", folder.file("sendmail"), "--zone", folder.file("zone"))
            #expect(result.status == 0, "\(result.errors)")
            #expect(
                result.output.hasSuffix(
                    "sent \(count), waiting 0, failed 0, refused \(count), suppressed 0\n"))
        }
        #expect(try mails.count == 1)
        #expect(
            try mails.first?.hasPrefix(
                "-i -f dmarc@receiver.example -- f@example.com\nTo: <f@example.com>\nSubject: failure\n"
            )
                == true)
        // A program that is missing leaves everything where it is.
        try folder.write(
            "signet-failure-report 1\nid 2-x\ncreated 1\nsender a@b.example\ncopy c@d.example\n\nx\n",
            to: "failures/2-x.report")
        let missing = try run("failures", "--sendmail", "/nowhere", "--zone", folder.file("zone"))
        #expect(missing.status == 69)
        #expect(FileManager.default.fileExists(atPath: folder.file("failures/2-x.report")))
    }
}
