import Foundation
import MailSyntax
import ReportStore
import Testing

@testable import ReportReading

/// Aggregate reports with the faults that real ones have.
@Suite struct AggregateTests {
    @Test func `a report is read with its rows`() throws {
        let report = try #require(Sample.reports(Sample.read(Sample.xml())).first)
        #expect(report.notes == [])
        #expect(report.reporterDomain == "reports.example")
        #expect(report.day == 19_676)
        let row = try #require(report.counts.first)
        #expect(row.source == IPAddress("192.0.2.1"))
        #expect(row.messages == 2)
        let verdict = report.verdicts[row.verdict]
        #expect(verdict.isDKIMAligned && !verdict.isSPFAligned && verdict.isPass)
        #expect(
            verdict.signatures == [.init(domain: "example.org", selector: "s", result: "pass")])
    }

    /// Rows without an address, as GoDaddy writes them: a bad row costs that row.
    @Test(arguments: [
        ("", "source_ip is missing"), ("<source_ip>x</source_ip>", "is not an address"),
    ])
    func `a row without an address is left out`(_ source: String, _ note: String) throws {
        let text = Sample.xml(Sample.record() + Sample.record(source: source))
        let report = try #require(Sample.reports(Sample.read(text)).first)
        #expect(report.records == 1)
        #expect(report.messages == 2)
        #expect(report.notes.count == 1)
        #expect(report.notes[0].hasPrefix("record 2: ") && report.notes[0].contains(note))
    }

    @Test(arguments: ["", "x", "-1", "99999999999999999999", "1e400", "nan"])
    func `a count that is none costs its row`(_ count: String) throws {
        let text = Sample.xml(Sample.record() + Sample.record(count: "<count>\(count)</count>"))
        let report = try #require(Sample.reports(Sample.read(text)).first)
        #expect(report.messages == 2)
        #expect(report.notes.contains { $0.contains("count") })
    }

    @Test func `rows that do not differ are counted together`() throws {
        let text = Sample.xml(String(repeating: Sample.record(), count: 5000))
        let report = try #require(Sample.reports(Sample.read(text)).first)
        #expect(report.records == 5000)
        #expect(report.messages == 10_000)
        #expect(report.counts.count == 1)
    }

    @Test func `elements are known without regard to prefix and order`() throws {
        let text = """
            <d:feedback xmlns:d="urn:ietf:params:xml:ns:dmarc-2.0"><d:record><d:identities>
            <d:header_from>Example.ORG</d:header_from></d:identities><d:row><d:policy_evaluated>
            <d:spf>pass</d:spf></d:policy_evaluated><d:count>3</d:count>
            <d:source_ip>::ffff:192.0.2.7</d:source_ip></d:row></d:record>
            <d:policy_published><d:domain>example.org</d:domain><d:p>none</d:p></d:policy_published>
            <d:report_metadata><d:report_id>1</d:report_id><d:email>a@b.example</d:email>
            <d:org_name>B</d:org_name><d:date_range><d:end>1700092799</d:end>
            <d:begin>1700006400</d:begin></d:date_range></d:report_metadata></d:feedback>
            """
        let report = try #require(Sample.reports(Sample.read(text)).first)
        #expect(report.counts.first?.source.description == "192.0.2.7")
        #expect(report.verdicts.first?.headerFrom == "example.org")
        #expect(report.verdicts.first?.isSPFAligned == true)
    }

    /// Unbound prefixes, an open tag that is no element of the format, unescaped text, octets that are not UTF-8.
    @Test func `text that is not escaped is mended`() throws {
        let records = Sample.record(
            from: "<header_from>a&b.example</header_from>",
            results: "<spf><domain>x<y</domain><result>none</result></spf>")
        let text = Sample.xml(records, head: "").replacingOccurrences(
            of: "<policy_published>", with: "<xs:schema a='1'>\n<policy_published>")
        let octets = Array(text.utf8) + [0x0A, 0xFF]
        let report = try #require(Sample.reports(ReportReader.read(octets)).first)
        #expect(report.messages == 2)
        #expect(report.verdicts.first?.headerFrom == "a&b.example")
        #expect(report.verdicts.first?.spfDomain == "x<y")
        #expect(report.notes.first?.hasPrefix("the XML is not well-formed") == true)
    }

    @Test func `a report that was cut is refused`() {
        let text = Sample.xml()
        let reasons = Sample.reasons(Sample.read(String(text.prefix(text.count - 40))))
        #expect(reasons.count == 1)
        #expect(reasons[0].hasPrefix("the XML is not well-formed"))
    }

    @Test(arguments: [
        ("<begin>1700006400.0</begin><end>1700092799</end>", "no integer"),
        ("<begin>1700006400000</begin><end>1700092799000</end>", "milliseconds"),
        ("<begin>2023-11-15T00:00:00Z</begin><end>2023-11-15 23:59:59</end>", "is a date"),
        ("<begin>1700006400</begin><end>1700006400</end>", "same second"),
        ("<begin>1700006400</begin><end>1700352000</end>", "96 hours"),
        ("<begin>1700006400</begin><end>1699999999</end>", "before it begins"),
        ("<begin>x</begin><end>1700092799</end>", "no time"),
    ])
    func `times that are badly written are read, and noted`(_ range: String, _ note: String) throws
    {
        let report = try #require(Sample.reports(Sample.read(Sample.xml(range: range))).first)
        #expect(report.begin == 1_700_006_400)
        #expect(report.notes.contains { $0.contains(note) }, "\(report.notes)")
    }

    @Test func `the name of the file says what the report does not`() throws {
        let text = Sample.xml(domain: "", range: "")
        let name = "reports.example!example.org!1700006400!1700092799!x.xml"
        let report = try #require(
            Sample.reports(ReportReader.read(Array(text.utf8), name: name)).first)
        #expect(report.domain == "example.org")
        #expect(report.end == 1_700_092_799)
        #expect(Sample.reports(Sample.read(text)).isEmpty)
    }

    @Test func `words that are none are read as the nearest, and noted`() throws {
        let text = Sample.xml(
            Sample.record(
                evaluated: "<disposition>Weird</disposition><dkim>Pass</dkim><spf/>",
                results:
                    "<dkim><domain>example.org</domain><result>unknown</result></dkim><spf><domain>a.example</domain><result>hardfail</result></spf>"
            ))
        let report = try #require(Sample.reports(Sample.read(text)).first)
        let verdict = try #require(report.verdicts.first)
        #expect(verdict.disposition == "none")
        #expect(verdict.isDKIMAligned && !verdict.isSPFAligned)
        #expect(verdict.spfResult == "fail")
        #expect(verdict.signatures.first?.result == "permerror")
        #expect(report.notes.count == 5)
    }

    /// A note is there once, however many records have what it is about.
    @Test func `notes are bounded`() throws {
        let records = (0..<500).map {
            Sample.record(source: "<source_ip>bad\($0)</source_ip>") + Sample.record(count: "")
        }.joined()
        let report = try #require(
            Sample.reports(Sample.read(Sample.xml(records + Sample.record()))).first)
        #expect(report.notes.count == 41)
        #expect(report.notes.last?.hasSuffix("further deviations are not listed") == true)
        #expect(report.notes.contains { $0.hasPrefix("record 2 and 499 more: count") })
    }
}
