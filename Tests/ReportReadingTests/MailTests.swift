import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportReading

/// Mails that carry reports, as careless programs write them.
@Suite struct MailTests {
    private let xml = Array(Sample.xml().utf8)

    private func count(_ octets: [UInt8]) -> Int { Sample.reports(ReportReader.read(octets)).count }

    @Test(arguments: [
        "Content-Type: application/gzip; name=\"r.xml.gz\"",
        "ContentType: application/gzip",
        "Content-Type: application/octet-stream; name=report.zip",
        "Content-Type: text/plain",
        "X-None: 1",
        "Content-Type: application/zip;\n\tname*0*=utf-8''a%20;\n\tname*1=b.gz",
    ])
    func `what an attachment is is told by its octets`(_ type: String) throws {
        #expect(count(Sample.mail(try Sample.gzip(xml), type: type)) == 1)
        #expect(count(Sample.mail(try Sample.zip([("x", xml)]), type: type)) == 1)
    }

    @Test func `gzip with octets after the member, and gzip in gzip, are read`() throws {
        let gzip = try Sample.gzip(xml)
        #expect(count(Sample.mail(gzip + [0x0D, 0x0A])) == 1)
        #expect(count(Sample.mail(try Sample.gzip(gzip))) == 1)
        #expect(count(Sample.mail(try Sample.zip([("a.xml.gz", gzip)]))) == 1)
        // A member that was cut is not.
        #expect(count(Sample.mail(Array(gzip.dropLast(12)))) == 0)
    }

    @Test func `the word of two receivers is named`() throws {
        let reasons = Sample.reasons(
            ReportReader.read(Sample.mail(try Sample.gzip(Array("unused".utf8)))))
        #expect(reasons.count == 1)
        #expect(reasons.first?.contains("only the word \"unused\"") == true)
    }

    @Test func `quoted-printable, several reports and a forwarded mail are read`() throws {
        let quoted = Sample.xml().replacingOccurrences(of: "=", with: "=3D")
            .replacingOccurrences(of: "<record>", with: "=\n<record>")
        let text = Data(try Sample.gzip(Array(Sample.xml(id: "r2").utf8))).base64EncodedString()
        let inner = """
            From: d@reports.example
            Content-Type: multipart/mixed; boundary="a b"

            preamble
            --a b
            Content-Type: text/xml
            Content-Transfer-Encoding: quoted-printable

            \(quoted)
            --a b
            Content-Type: multipart/alternative; boundary=c

            --c
            Content-Type: application/x-gzip
            Content-Transfer-Encoding: BASE64

            \(text)
            --c--
            --a b--
            """
        #expect(count(Array(inner.utf8)) == 2)
        let outer =
            "From: me@example.org\nContent-Type: message/rfc822\n\n" + inner
        #expect(count(Array(outer.utf8)) == 2)
        let crlf = inner.replacingOccurrences(of: "\n", with: "\r\n")
        #expect(count(Array(crlf.utf8)) == 2)
        #expect(count(Array("From x@y.example Tue Apr 30 02:09:16 2019\n\(inner)".utf8)) == 2)
    }

    @Test func `a mail without a report is refused`() {
        let mail = "From: a@example.org\nSubject: Hello\n\nNo report.\n"
        #expect(Sample.reasons(Sample.read(mail)) == ["the mail has no report in it"])
        let page = "From: a@example.org\nContent-Type: text/html\n\n<html><body></body></html>\n"
        #expect(Sample.reasons(Sample.read(page)) == ["the mail has no report in it"])
    }

    @Test func `parts end at a depth and a number`() {
        var mail = "From: a@example.org\n"
        for level in 0..<200 {
            mail += "Content-Type: multipart/mixed; boundary=\"b\(level)\"\n\n--b\(level)\n"
        }
        let deep = Sample.reasons(Sample.read(mail))
        #expect(
            deep == [
                "the mail has no report in it: parts are nested deeper than 8: they are not read"
            ])
        let many =
            "From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n"
            + String(repeating: "--b\n\nx\n", count: 100_000)
        #expect(Sample.reasons(Sample.read(many)).count == 1)
    }

    /// Exim on cPanel, and others: text for people alone.
    @Test func `a failure report without the machine part is read`() throws {
        let mail = """
            From: postmaster@mx.reporter.example
            Message-ID: <1@mx.reporter.example>
            Date: Mon, 01 Oct 2018 11:20:27 +0200
            Subject: DMARC failure report

            A message claiming to be from you has failed the published DMARC
            policy for your domain.

              Sender Domain: example.org
              Sender IP Address: 192.0.2.9
              Received Date: Mon, 01 Oct 2018 11:20:27 +0200
              SPF Alignment: no
            """
        let report = try #require(Sample.reports(Sample.read(mail)).first)
        #expect(report.kind == .failure)
        #expect(report.domain == "example.org")
        #expect(report.failure?.source == "192.0.2.9")
        #expect(report.begin == 1_538_385_627)
        #expect(report.reporterDomain == "reporter.example")
        #expect(report.notes.first?.contains("message/feedback-report is missing") == true)
    }

    /// The text beside an attachment is nothing that counts.
    @Test func `an aggregate report whose text speaks of failure reports is one`() throws {
        let mail = """
            From: d@reports.example
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: text/plain

            This is a DMARC report; failure reports are not sent.
            Domain: example.org
            Source IP: 192.0.2.1
            --b
            Content-Type: text/xml

            \(Sample.xml())
            --b--
            """
        let reports = Sample.reports(Sample.read(mail))
        #expect(reports.map(\.kind) == [.aggregate])
    }

    @Test func `encoded words and pieces of names are decoded`() {
        #expect(EncodedWords.decoded("=?UTF-8?B?w4Q=?= =?utf-8?q?_x=3D1?= y") == "Ä x=1 y")
        #expect(EncodedWords.decoded("=?x?=?=") == "=?x?=?=")
        let value = StructuredValue("a/b; filename*1*=%C3%84; filename*0=\"x;\"; other=(c) 1")
        #expect(value.value == "a/b")
        #expect(value.parameter("filename") == "x;Ä")
        #expect(value.parameter("other") == "1")
    }
}
