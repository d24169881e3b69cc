import MailAuth
import MailDNS
import MailSyntax
import ReportStore
import TestKit
import Testing

@testable import Reports

/// Reports that come back: which, what that says of the address, and what follows.
@Suite struct BounceTests {
    private static let time: Int64 = 1_795_000_000
    private static let day: Int64 = 86_400

    private struct Host {
        let folder: TemporaryDirectory
        let outbox: SQLiteReportOutbox
        let bounces: BounceAddress
        let sink = SendingTests.Sink()

        init() throws {
            folder = try TemporaryDirectory("signet-bounces")
            let path = folder.file("reports.db")
            try SQLiteReportStore(path: path).write([ReportTests.sample()])
            outbox = try SQLiteReportOutbox(path: path)
            let address = try EnvelopeAddress(
                forwardPath: Array("<Dmarc-Bounces@receiver.example>".utf8).span)
            bounces = try #require(BounceAddress(address, key: try outbox.bounceKey()))
        }

        /// A report of a day to some addresses, as deliveries.
        func report(_ number: Int, at time: Int64, to addresses: [String]) throws -> [Delivery] {
            let id = "abcdef0\(100 + number)" + String(repeating: "0", count: 22)
            try outbox.add([
                OutgoingReport(
                    id: id, day: time / 86_400, domain: "example.com", messages: 1,
                    mail: "Subject: x\n\n", created: time,
                    destinations: addresses.map { .init($0, state: .waiting, next: time) })
            ])
            return try outbox.deliveries(ofReportsBeginning: id)
        }

        func send(at time: Int64) throws -> ReportSender.Tally {
            try ReportSender(
                outbox, by: ReportTests.reporter, except: ReportExclusions(),
                resolver: try ZoneResolver(parsing: "$ORIGIN .\n"), options: DMARCOptions(),
                handover: sink, bounces: bounces
            ).run(now: { time })
        }
    }

    private static func notice(
        _ status: String, action: String = "failed", said: String = "smtp; 550 no such user"
    ) -> [UInt8] {
        Array(
            """
            From: MAILER-DAEMON@mx.example.com
            To: x@receiver.example
            Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r

            --b
            Content-Type: text/plain

            Action: failed
            --b
            Content-type: Message/Delivery-Status; charset=us-ascii

            Reporting-MTA: dns; mx.example.com
            Arrival-Date: now

            Final-Recipient: rfc822; d@example.com
            Action: \(action)
            Status: \(status)
            Diagnostic-Code: \(said)
                and more of it

            Final-Recipient: rfc822; other@example.com
            Action: delivered
            Status: 2.0.0

            --b
            Content-Type: message/rfc822

            Status: 2.0.0
            --b--

            """.utf8)
    }

    @Test func `each delivery has a sender of its own, which nobody can make up`() throws {
        let host = try Host()
        let deliveries = try host.report(
            0, at: Self.time, to: ["mailto:a@example.com", "mailto:b@example.com"])
        let senders = deliveries.map { host.bounces.sender(of: $0) }
        #expect(Set(senders).count == 2)
        #expect(senders[0].hasPrefix("Dmarc-Bounces+abcdef0100.0."))
        for (sender, delivery) in zip(senders, deliveries) {
            #expect(sender.utf8.count <= 64 + 1 + 16)
            for form in [sender, sender.asciiLowercased, sender.uppercased()] {
                #expect(try host.bounces.delivery(of: form, in: host.outbox) == delivery)
            }
        }
        let other = senders[0].replacing(".0.", with: ".1.")
        for forged in [
            other, "dmarc-bounces@receiver.example", "dmarc-bounces+@receiver.example",
            "dmarc-bounces+abcdef0100.0.000000000000@receiver.example", "",
            senders[0].replacing("receiver", with: "evil"), "+" + senders[0],
            "dmarc-bounces+%%%%%%%%%%.0.000000000000@receiver.example",
        ] {
            #expect(try host.bounces.delivery(of: forged, in: host.outbox) == nil, "\(forged)")
        }
        #expect(try host.send(at: Self.time) == [.sent: 2])
        #expect(host.sink.mails.map(\.sender) == senders)
    }

    @Test(arguments: [
        ("5.1.1", BounceNotice.Kind.closed), ("5.1.10", .closed), ("5.2.1", .closed),
        ("5.1.1 (bad destination)", .closed), ("5.2.2", .refused), ("5.7.1", .refused),
        ("4.4.1", .refused), ("", .refused), ("x", .refused),
    ])
    func `the status says whether the address is closed`(
        _ status: String, _ kind: BounceNotice.Kind
    ) throws {
        let notice = try #require(BounceNotice(parsing: Self.notice(status)))
        #expect(notice.kind == kind)
        #expect(notice.reason.hasSuffix("smtp; 550 no such user and more of it"))
    }

    @Test func `what is no failure says nothing, what is no notification is none`() throws {
        for action in ["delayed", "delivered", "relayed", "Expanded"] {
            let notice = try #require(BounceNotice(parsing: Self.notice("4.4.7", action: action)))
            #expect(notice.kind == .none)
        }
        let whole = Self.notice("5.1.1")
        #expect(BounceNotice(parsing: [UInt8]()) == nil)
        #expect(BounceNotice(parsing: Array("From: a\n\nI am away.\n".utf8)) == nil)
        for cut in stride(from: 0, to: whole.count, by: 7) {
            _ = BounceNotice(parsing: whole[..<cut])
        }
        let hostile = Self.notice("5.1.1", said: String(repeating: "\u{1B}\u{0}é", count: 10_000))
        let reason = try #require(BounceNotice(parsing: hostile)).reason
        #expect(reason.unicodeScalars.count <= 300 && !reason.contains("\u{1B}"))
    }

    @Test func `a closed address gets nothing for three months`() throws {
        let host = try Host()
        let delivery = try #require(
            try host.report(0, at: Self.time, to: ["mailto:d@example.com"]).first)
        #expect(try host.send(at: Self.time) == [.sent: 1])
        let notice = try #require(BounceNotice(parsing: Self.notice("5.1.1")))
        let known = try BounceBook(host.outbox).record(notice, of: delivery, at: Self.time)
        #expect(known?.isPermanent == true && known?.until == Self.time + 90 * Self.day)
        let failed = try #require(
            try host.outbox.deliveries(ofReportsBeginning: delivery.report).first)
        #expect(failed.state == .failed && failed.reason.hasPrefix("bounced: 5.1.1"))
        // A second bounce of the same report says nothing new.
        #expect(try BounceBook(host.outbox).record(notice, of: failed, at: Self.time) == known)
        _ = try host.report(
            1, at: Self.time + Self.day, to: ["mailto:D%40@example.com", "mailto:d@example.com"])
        #expect(try host.send(at: Self.time + Self.day) == [.sent: 1, .suppressed: 1])
        _ = try host.report(2, at: Self.time + 91 * Self.day, to: ["mailto:d@example.com"])
        #expect(try host.send(at: Self.time + 91 * Self.day) == [.sent: 1])
    }

    @Test func `one that refuses is left in peace for a day, then two, up to sixteen`() throws {
        let host = try Host()
        let notice = try #require(BounceNotice(parsing: Self.notice("5.2.2")))
        var time = Self.time
        var pauses: [Int64] = []
        for number in 0..<7 {
            let delivery = try #require(
                try host.report(number, at: time, to: ["mailto:d@example.com"]).first)
            #expect(try host.send(at: time) == [.sent: 1])
            let known = try #require(
                try BounceBook(host.outbox).record(notice, of: delivery, at: time))
            pauses.append((known.until - time) / Self.day)
            time = known.until
        }
        #expect(pauses == [1, 2, 4, 8, 16, 16, 16])
        // What can wait waits, what would be too late is left out.
        let last = try #require(try host.outbox.bounces(of: "d@example.com"))
        _ = try host.report(7, at: last.until - 2 * Self.day, to: ["mailto:d@example.com"])
        #expect(try host.send(at: last.until - 2 * Self.day) == [.waiting: 1])
        _ = try host.report(8, at: last.until - 10 * Self.day, to: ["mailto:d@example.com"])
        #expect(try host.send(at: last.until - 10 * Self.day) == [.suppressed: 1])
        // After a quiet time it is counted from one again.
        let later = last.until + 40 * Self.day
        let delivery = try #require(
            try host.report(9, at: later, to: ["mailto:d@example.com"]).first)
        let known = try BounceBook(host.outbox).record(notice, of: delivery, at: later)
        #expect(known?.bounces == 1)
    }
}
