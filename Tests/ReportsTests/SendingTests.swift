import Foundation
import MailAuth
import MailDNS
import MailSyntax
import ReportStore
import TestKit
import Testing
import Threads

@testable import Reports

/// Reports on their way: made once, verified, handed over, and put off where that fails.
@Suite struct SendingTests {
    static let day = ReportTests.day
    /// The morning after.
    static let morning = (day + 1) * 86_400 + 600

    /// What takes mail in the tests: answers in turn, the last one for ever.
    final class Sink: MailHandover {
        struct Mail: Hashable {
            let text: String
            let sender: String
            let recipient: String
        }

        var mails: [Mail] = []
        var answers: [HandoverOutcome] = [.taken]

        func send(
            _ mail: String, from sender: String, to recipient: String
        ) throws(ReportError) -> HandoverOutcome {
            mails.append(Mail(text: mail, sender: sender, recipient: recipient))
            return answers.count > 1 ? answers.removeFirst() : answers[0]
        }
    }

    /// A store with one message for each policy, and what sends out of it.
    private struct Host {
        let folder: TemporaryDirectory
        let store: SQLiteReportStore
        let sink = Sink()
        var zone = ""
        var exclusions = ReportExclusions()

        init(_ policies: (domain: String, addresses: [String])...) throws {
            folder = try TemporaryDirectory("signet-sending")
            store = SQLiteReportStore(path: folder.file("reports.db"))
            try store.write(
                policies.map { policy in
                    ReportTests.sample {
                        $0.policy = Evaluation.Policy(
                            domain: policy.domain, applied: "none", p: "none",
                            reportAddresses: policy.addresses)
                    }
                })
        }

        var path: String { folder.file("reports.db") }

        func compose(
            _ outbox: SQLiteReportOutbox, spread: Int64 = 0
        ) throws -> (made: Int, leftOut: Int) {
            try ReportComposer(
                from: store, to: outbox, by: ReportTests.reporter, except: exclusions
            ).compose(SendingTests.day, at: SendingTests.morning, spreadOver: spread)
        }

        func send(
            _ outbox: SQLiteReportOutbox, at time: Int64 = SendingTests.morning
        ) throws -> ReportSender.Tally {
            try ReportSender(
                outbox, by: ReportTests.reporter, except: exclusions,
                resolver: try ZoneResolver(parsing: "$ORIGIN .\n" + zone),
                options: DMARCOptions(), handover: sink
            ).run(now: { time })
        }

        func deliveries() throws -> [Delivery] {
            var found: [Delivery] = []
            try SQLiteReportOutbox(path: path, isReadOnly: true).deliveries { found.append($0) }
            return found
        }
    }

    @Test func `a report is made and sent once, however often that is run`() throws {
        let host = try Host(("example.com", ["mailto:d@example.com", "mailto:d@example.com"]))
        for _ in 0..<3 {
            let outbox = try SQLiteReportOutbox(path: host.path)
            _ = try host.compose(outbox)
            _ = try host.send(outbox)
            #expect(try outbox.lastDay(before: Self.day + 1) == Self.day)
        }
        #expect(host.sink.mails.count == 1)
        #expect(try host.deliveries().map(\.state) == [.sent])
        // What is sent takes no room any more.
        let size = try Command.require("sqlite3", [host.path, "SELECT mail FROM report"])
        #expect(size == "\n")
    }

    /// RFC 9990, section 3.5.2.
    @Test func `the mail has the report as a file, with one id everywhere`() throws {
        let host = try Host(("example.com", ["mailto:d@example.com"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        #expect(try host.compose(outbox).made == 1)
        #expect(try host.send(outbox) == [.sent: 1])
        let mail = try #require(host.sink.mails.first)
        #expect(mail.sender == "dmarc@receiver.example")
        #expect(mail.recipient == "d@example.com")
        let id = try #require(try host.deliveries().first?.report)
        let file = "receiver.example!example.com!1794960000!1795046399!\(id).xml.gz"
        let (head, body) = try #require(
            mail.text.firstRange(of: "\n\n").map {
                (mail.text[..<$0.lowerBound], mail.text[$0.upperBound...])
            })
        #expect(
            head == """
                To: <d@example.com>
                From: =?UTF-8?B?RXhhbXBsZSAmIFPDtmhuZSA8bWFpbD4=?= <dmarc@receiver.example>
                Date: Thu, 19 Nov 2026 00:10:00 +0000
                Subject: Report Domain: example.com
                 Submitter: receiver.example
                 Report-ID: <\(id)>
                Message-ID: <\(id)@receiver.example>
                Auto-Submitted: auto-generated
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary="report-\(id)"
                """)
        #expect(body.contains("\nContent-Type: application/gzip\n"))
        #expect(body.contains("\n filename=\"\(file)\"\n"))
        #expect(mail.text.split(separator: "\n").allSatisfy { $0.utf8.count <= 998 })
        // Python's own reader finds the file, and in it the document.
        let folder = try TemporaryDirectory("signet-sending")
        let path = try folder.write(Array(mail.text.utf8), to: "mail.eml")
        let script = """
            import email, email.policy, gzip, sys
            mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
            part = next(mail.iter_attachments())
            print(part.get_content_type(), part.get_filename())
            print(mail["from"].addresses[0].display_name)
            print(gzip.decompress(part.get_content()).decode())
            """
        let read = try Command.require("python3", ["-c", script, path])
        #expect(read.hasPrefix("application/gzip \(file)\nExample & Söhne <mail>\n<?xml "))
        #expect(read.contains("<report_id>\(id)</report_id>"))
        let document = read.split(separator: "\n", maxSplits: 2)[2]
        try ReportTests.validate(Array(document.utf8))
    }

    @Test func `names of organizations are phrases, whatever they have in them`() throws {
        for (name, expected) in [
            ("Example", #""Example""#), (#"A "B" \ <c@d>, (e)"#, #""A \"B\" \\ <c@d>, (e)""#),
            ("A\tB\u{7F}", #""A B ""#),
        ] {
            #expect(ReportMail.displayName(name) == expected)
        }
        let long = ReportMail.displayName(String(repeating: "é😀", count: 40))
        let words = long.components(separatedBy: "\n ")
        #expect(words.count > 1)
        #expect(words.allSatisfy { $0.utf8.count <= 75 })
    }

    @Test func `a run that was killed between handing over and recording sends the same again`()
        throws
    {
        let host = try Host(("example.com", ["mailto:d@example.com", "mailto:d@example.com"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        _ = try host.send(outbox)
        // As if the outcome had not come to the disk, with what has happened since in the store.
        let mail = try #require(host.sink.mails.first)
        let body = mail.text.split(separator: "\n", maxSplits: 1)[1]
        let copy = body.replacing("'", with: "''")
        _ = try Command.require(
            "sqlite3",
            [
                host.path,
                "UPDATE delivery SET state = 'waiting'; UPDATE report SET mail = '\(copy)'",
            ])
        try host.store.write([
            ReportTests.sample {
                $0.sourceAddress = "192.0.2.2"
                $0.policy = Evaluation.Policy(
                    domain: "example.com", applied: "none", p: "none",
                    reportAddresses: ["mailto:d@example.com", "mailto:d@example.com"])
            }
        ])
        #expect(try host.compose(outbox).made == 0)
        _ = try host.send(outbox, at: Self.morning + 7200)
        #expect(host.sink.mails == [mail, mail])
    }

    @Test func `what is put off is tried again, later each time, and given up in the end`() throws {
        let host = try Host(("example.com", ["mailto:d@example.com"]))
        host.sink.answers = [.later("busy")]
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        var time = Self.morning
        var pauses: [Int64] = []
        while try host.send(outbox, at: time)[.waiting] == 1 {
            let delivery = try #require(try host.deliveries().first)
            #expect(delivery.reason == "busy")
            #expect(try host.send(outbox, at: delivery.next - 1).isEmpty)
            pauses.append(delivery.next - time)
            time = delivery.next
        }
        #expect(pauses.prefix(6) == [900, 1800, 3600, 7200, 14_400, 14_400])
        #expect(pauses.reduce(0, +) <= ReportSender.lifetime)
        #expect(try host.deliveries().map(\.state) == [.failed])
        #expect(try host.deliveries().first?.reason == "given up: busy")
        #expect(try host.send(outbox, at: time + 86_400).isEmpty)
        // Refused for good is not tried again.
        let other = try Host(("example.com", ["mailto:d@example.com"]))
        other.sink.answers = [.never("no such user")]
        let second = try SQLiteReportOutbox(path: other.path)
        _ = try other.compose(second)
        #expect(try other.send(second) == [.failed: 1])
    }

    /// RFC 9990, section 4.
    @Test func `addresses outside are asked whether they want reports`() throws {
        var host = try Host(
            (
                "blue.example.com",
                [
                    "mailto:a@blue.example.com", "mailto:b@other.example.com",
                    "mailto:c@red.example.net", "mailto:d@green.example.net",
                    "mailto:e@moved.example.net", "mailto:f@away.example.net",
                    "mailto:g@wild.example.net", "https://blue.example.com/", "mailto:nobody",
                ]
            ))
        host.zone = """
            _dmarc.example.com. TXT "v=DMARC1; p=none"
            blue.example.com._report._dmarc.red.example.net. TXT "v=DMARC1"
            blue.example.com._report._dmarc.green.example.net. TXT "no"
            blue.example.com._report._dmarc.moved.example.net. TXT "v=DMARC1; rua=mailto:x@moved.example.net;"
            blue.example.com._report._dmarc.away.example.net. TXT "v=DMARC1; rua=mailto:x@victim.example"
            *._report._dmarc.wild.example.net. TXT "v=DMARC1;"

            """
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        #expect(try host.send(outbox) == [.sent: 5, .refused: 2])
        #expect(
            host.sink.mails.map(\.recipient) == [
                "a@blue.example.com", "b@other.example.com", "c@red.example.net",
                "x@moved.example.net", "g@wild.example.net",
            ])
        #expect(
            try host.deliveries().filter { $0.state == .refused }.map(\.reason) == [
                "blue.example.com._report._dmarc.green.example.net does not say that green.example.net wants them",
                "blue.example.com._report._dmarc.away.example.net names an address of another host",
            ])
    }

    @Test func `a name that would be too long is no permission`() throws {
        let label = String(repeating: "a", count: 60)
        let domain = "\(label).\(label).\(label).example"
        let host = try Host((domain, ["mailto:a@\(label).example.net"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        #expect(try host.send(outbox) == [.refused: 1])
    }

    @Test func `an answer that does not come puts the report off`() throws {
        struct Silent: DNSResolver {
            func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
                .ready(.failure(.timeout))
            }
        }
        let host = try Host(("example.com", ["mailto:a@example.net"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        let tally = try ReportSender(
            outbox, by: ReportTests.reporter, except: ReportExclusions(), resolver: Silent(),
            options: DMARCOptions(), handover: host.sink
        ).run(now: { Self.morning })
        #expect(tally == [.waiting: 1])
        #expect(host.sink.mails.isEmpty)
    }

    @Test func `a hundred addresses are ten, and none is none`() throws {
        let host = try Host(
            ("example.com", (0..<100).map { "mailto:d\($0)@example.com" }), ("silent.example", []),
            ("web.example", ["https://web.example/"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        #expect(try host.compose(outbox).made == 1)
        #expect(try host.send(outbox) == [.sent: 10])
    }

    /// RFC 7489, section 6.2.
    @Test func `a size limit of an old record is kept`() throws {
        let host = try Host(
            (
                "example.com",
                [
                    "mailto:a@example.com!1", "mailto:b@example.com!1k",
                    "mailto:c@example.com!99999999999999t", "mailto:d@example.com",
                    "mailto:e@example.com!k",
                ]
            ))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        #expect(try host.send(outbox) == [.sent: 3])
        let deliveries = try host.deliveries()
        #expect(deliveries.map(\.state) == [.refused, .sent, .sent, .sent])
        #expect(deliveries[0].reason.hasSuffix("and mailto:a@example.com!1"))
    }

    @Test func `reports are spread, each with its own place`() throws {
        let host = try Host(
            ("a.example", ["mailto:d@a.example"]), ("b.example", ["mailto:d@b.example"]),
            ("c.example", ["mailto:d@c.example"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox, spread: 14_400)
        let times = Set(try host.deliveries().map(\.next))
        #expect(times.count == 3)
        #expect(times.allSatisfy { Self.morning..<Self.morning + 14_400 ~= $0 })
        let first = try #require(times.min())
        #expect(try host.send(outbox, at: first) == [.sent: 1])
        #expect(try host.send(outbox, at: Self.morning + 14_400) == [.sent: 2])
    }

    @Test func `one process sends at a time`() throws {
        let host = try Host(("example.com", ["mailto:d@example.com"]))
        var first: SQLiteReportOutbox? = try SQLiteReportOutbox(path: host.path)
        let second = try SQLiteReportOutbox(path: host.path)
        #expect(try first?.claim() == true)
        #expect(try first?.claim() == true)
        #expect(try !second.claim())
        first = nil
        #expect(try second.claim())
    }

    @Test func `old reports are forgotten, but not which day was the last`() throws {
        let host = try Host(("example.com", ["mailto:d@example.com"]))
        let outbox = try SQLiteReportOutbox(path: host.path)
        _ = try host.compose(outbox)
        try outbox.forget(before: Self.day)
        #expect(try host.deliveries().count == 1)
        try outbox.forget(before: Self.day + 1)
        #expect(try host.deliveries().isEmpty)
        #expect(try outbox.lastDay(before: Self.day + 1) == Self.day)
    }

    @Test func `a store that is not there is not made`() throws {
        let folder = try TemporaryDirectory("signet-sending")
        #expect(throws: SinkError.self) { try SQLiteReportOutbox(path: folder.file("x.db")) }
        #expect(!FileManager.default.fileExists(atPath: folder.file("x.db")))
    }

    /// "the total message size could exceed the receiver SMTP size limit" (RFC 9990, section
    /// 3.5.2).
    @Test func `what is too long for one report is several, each message in one of them`() throws {
        let folder = try TemporaryDirectory("signet-sending")
        let store = SQLiteReportStore(path: folder.file("reports.db"))
        try store.write(
            (0..<1000).map { number in
                ReportTests.sample { $0.sourceAddress = "2001:db8::\(String(number, radix: 16))" }
            })
        let policy = try #require(try store.policies(on: Self.day).first)
        var reports: [AggregateReport] = []
        try AggregateReport.each(
            of: policy, day: Self.day, from: store, by: ReportTests.reporter, sizeLimit: 100_000
        ) { reports.append($0) }
        #expect(reports.count > 2)
        #expect(reports.reduce(0) { $0 + $1.messages } == 1000)
        #expect(reports.reduce(0) { $0 + $1.records } == 1000)
        #expect(Set(reports.map(\.identity.reportID)).count == reports.count)
        for report in reports { try ReportTests.validate(report.document) }
    }

    @Test func `sendmail(1) gets the envelope and the mail, and its statuses mean what they mean`()
        throws
    {
        let folder = try TemporaryDirectory("signet-sending")
        let script = """
            #!/bin/sh
            printf '%s\\n' "$@" > \(folder.file("arguments"))
            cat > \(folder.file("mail"))
            echo "no
            luck" >&2
            exit $(cat \(folder.file("status")))
            """
        let program = try folder.write(script, to: "sendmail", mode: 0o755)
        let long = String(repeating: "line\n", count: 100_000)
        for (status, expected): (Int, HandoverOutcome) in [
            (0, .taken), (67, .never("\(program) ended with status 67: no luck")),
            (75, .later("\(program) ended with status 75: no luck")),
            (1, .later("\(program) ended with status 1: no luck")),
        ] {
            _ = try folder.write(Array("\(status)".utf8), to: "status")
            let outcome = try SendmailProgram(path: program).send(
                long, from: "a@example.com", to: "-oQ/tmp@example.com")
            #expect(outcome == expected)
        }
        #expect(
            try String(contentsOfFile: folder.file("arguments"), encoding: .utf8)
                == "-i\n-f\na@example.com\n--\n-oQ/tmp@example.com\n")
        #expect(try String(contentsOfFile: folder.file("mail"), encoding: .utf8) == long)
        #expect(throws: ReportError.self) {
            try SendmailProgram(path: folder.file("missing")).send("", from: "", to: "")
        }
    }
}
