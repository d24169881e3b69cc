import FailureReports
import MailAuth
import MailDNS
import MailSyntax
import ReportStore
import TestKit
import Testing

@testable import Reports

/// Failure reports on their way out.
@Suite struct FailureSendingTests {
    private static let time: Int64 = 1_795_000_000
    private static let zone = """
        $ORIGIN .
        _dmarc.example.com. TXT "v=DMARC1; p=none"
        blue.example.com._report._dmarc.red.example.net. TXT "v=DMARC1"
        blue.example.com._report._dmarc.moved.example.net. TXT "v=DMARC1; ruf=mailto:x@moved.example.net"
        blue.example.com._report._dmarc.away.example.net. TXT "v=DMARC1; ruf=mailto:x@victim.example"

        """

    private struct Host {
        let folder: TemporaryDirectory
        let spool: FailureSpool
        let sink = SendingTests.Sink()
        var exclusions = ReportExclusions()

        init() throws {
            folder = try TemporaryDirectory("signet-failures")
            spool = FailureSpool(path: folder.path)
        }

        func put(_ id: String, _ addresses: [String], copies: [String] = []) throws {
            _ = try spool.keep(
                WaitingReport(
                    id: id, created: FailureSendingTests.time,
                    policyDomain: addresses.isEmpty ? nil : "blue.example.com",
                    sender: "dmarc@receiver.example", addresses: addresses, copies: copies,
                    mail: Array("Subject: \(id)\n\nbody\n".utf8)))
        }

        func run(at time: Int64 = FailureSendingTests.time) throws -> [DeliveryState: Int] {
            try FailureReportSender(
                spool, except: exclusions, outbox: nil,
                resolver: try ZoneResolver(parsing: FailureSendingTests.zone),
                options: DMARCOptions(), handover: sink
            ).run(now: { time })
        }
    }

    /// RFC 9991, section 5.
    @Test func `external destinations are verified, and all others tried`() throws {
        let host = try Host()
        try host.put(
            "1",
            [
                "mailto:a@blue.example.com", "mailto:b@other.example.com",
                "mailto:c@red.example.net",
                "mailto:d@green.example.net", "mailto:e@moved.example.net",
                "mailto:f@away.example.net",
            ], copies: ["postmaster@receiver.example"])
        #expect(try host.run() == [.sent: 5, .refused: 2])
        #expect(
            host.sink.mails.map(\.recipient) == [
                "postmaster@receiver.example", "a@blue.example.com", "b@other.example.com",
                "c@red.example.net", "x@moved.example.net",
            ])
        #expect(host.sink.mails.allSatisfy { $0.sender == "dmarc@receiver.example" })
        #expect(host.sink.mails[1].text == "To: <a@blue.example.com>\nSubject: 1\n\nbody\n")
        // The copy names whom the report is for.
        #expect(
            host.sink.mails[0].text.hasPrefix("To: <a@blue.example.com>,\n <b@other.example.com>,"))
        #expect(try host.spool.waiting().isEmpty)
    }

    @Test func `a report that no domain asks for goes to the administrator alone`() throws {
        let host = try Host()
        try host.put("1", [], copies: ["a@receiver.example", "b@receiver.example"])
        #expect(try host.run() == [.sent: 2])
        #expect(
            host.sink.mails.map { $0.text.prefix(24) } == [
                "To: <a@receiver.example>", "To: <b@receiver.example>",
            ])
    }

    @Test func `what is put off is tried for a day, and only where it has not arrived`() throws {
        let host = try Host()
        try host.put("1", ["mailto:a@blue.example.com", "mailto:b@blue.example.com"])
        host.sink.answers = [.taken, .later("busy")]
        #expect(try host.run() == [.sent: 1, .waiting: 1])
        #expect(host.spool.report("1")?.addresses == ["mailto:b@blue.example.com"])
        #expect(try host.run(at: Self.time + 3600) == [.waiting: 1])
        #expect(try host.run(at: Self.time + 86_401) == [.failed: 1])
        #expect(try host.spool.waiting().isEmpty)
        #expect(try host.run().isEmpty)
    }

    @Test func `where nothing takes mail all stays, and what is no report goes`() throws {
        struct Broken: MailHandover {
            func send(
                _ mail: String, from sender: String, to recipient: String
            ) throws(ReportError) -> HandoverOutcome { throw ReportError("no sendmail") }
        }
        let host = try Host()
        try host.put("1", ["mailto:a@blue.example.com"])
        let sender = FailureReportSender(
            host.spool, except: ReportExclusions(), outbox: nil,
            resolver: try ZoneResolver(parsing: Self.zone), options: DMARCOptions(),
            handover: Broken())
        #expect(throws: ReportError("no sendmail")) { try sender.run(now: { Self.time }) }
        #expect(try host.spool.waiting() == ["1"])
        try host.folder.write("nonsense", to: "0.report")
        #expect(try host.run() == [.sent: 1])
        #expect(try host.spool.waiting().isEmpty)
    }
}
