import Foundation
import ReportStore
import TestKit
import Testing

@testable import Reports

/// Aggregate reports: RFC 9990's elements in their order, valid by its schema, whatever the
/// evaluations have.
@Suite struct ReportTests {
    static let day: Int64 = 20_775
    static let reporter = Reporter(
        organization: "Example & Söhne <mail>", email: "dmarc@receiver.example",
        domain: "receiver.example", generator: "Signet test")

    static func sample(_ change: (inout Evaluation) -> Void = { _ in }) -> Evaluation {
        var evaluation = Evaluation(
            received: day * 86_400 + 5, reporter: "mx.receiver.example",
            headerFrom: "news.example.com", result: "pass", disposition: "none")
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.envelopeFrom = "bounce.example.com"
        evaluation.envelopeTo = "receiver.example"
        evaluation.policy = Evaluation.Policy(
            domain: "example.com", applied: "reject", p: "reject", sp: "quarantine",
            reportAddresses: ["mailto:d@example.com"])
        evaluation.isDKIMAligned = true
        evaluation.authentications = [
            .init(
                mechanism: "spf", domain: "bounce.example.com", scope: "mfrom", result: "softfail"),
            .init(mechanism: "dkim", domain: "example.com", selector: "s1", result: "pass"),
        ]
        change(&evaluation)
        return evaluation
    }

    static func reports(of evaluations: [Evaluation]) throws -> [AggregateReport] {
        let folder = try TemporaryDirectory("signet-reports")
        let store = SQLiteReportStore(path: folder.file("reports.db"))
        try store.write(evaluations)
        var reports: [AggregateReport] = []
        for policy in try store.policies(on: day) {
            try AggregateReport.each(of: policy, day: day, from: store, by: reporter) {
                reports.append($0)
            }
        }
        return reports
    }

    @Test(arguments: [("9223372036854775807", [Int64.max]), ("-1", []), ("0", [])])
    func `a damaged store's numbers do no harm`(number: String, messages: [Int64]) throws {
        let folder = try TemporaryDirectory("signet-reports")
        let path = folder.file("reports.db")
        let store = SQLiteReportStore(path: path)
        try store.write([Self.sample(), Self.sample { $0.sourceAddress = "192.0.2.77" }])
        _ = try Command.require(
            "/usr/bin/sqlite3", [path, "UPDATE message_count SET messages = \(number)"])
        var found: [Int64] = []
        for policy in try store.policies(on: Self.day) {
            try AggregateReport.each(of: policy, day: Self.day, from: store, by: Self.reporter) {
                found.append($0.messages)
            }
        }
        #expect(found == messages)
    }

    private func report(_ evaluations: Evaluation...) throws -> AggregateReport {
        let reports = try Self.reports(of: evaluations)
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        try Self.validate(report.document)
        return report
    }

    /// Checks a document against the schema of RFC 9990, where that is at hand.
    static func validate(_ document: [UInt8]) throws {
        let folder = try TemporaryDirectory("signet-reports")
        let path = try folder.write(document, to: "report.xml")
        let schema = "\(Shared.folder ?? "")/standards/dmarc-xml-0.2.xsd"
        let arguments =
            FileManager.default.fileExists(atPath: schema)
            ? ["--noout", "--schema", schema, path] : ["--noout", path]
        _ = try Command.require("xmllint", arguments)
    }

    /// The document without its indents, from an element to its end.
    private func part(_ element: String, of report: AggregateReport) throws -> String {
        let text = String(decoding: report.document, as: UTF8.self)
            .split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
        let start = try #require(text.range(of: "<\(element)>"))
        let end = try #require(text.range(of: "</\(element)>", options: .backwards))
        return String(text[start.lowerBound..<end.upperBound])
    }

    @Test func `a report has all elements in the order of the tables`() throws {
        let report = try report(Self.sample(), Self.sample())
        #expect(report.records == 1)
        #expect(report.messages == 2)
        #expect(report.addresses == ["mailto:d@example.com"])
        let text = String(decoding: report.document, as: UTF8.self)
        let id = report.identity.reportID
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
                  <version>1.0</version>
                  <report_metadata>
                    <org_name>Example &amp; Söhne &lt;mail&gt;</org_name>
                    <email>dmarc@receiver.example</email>
                    <report_id>\(id)</report_id>
                    <date_range>
                      <begin>1794960000</begin>
                      <end>1795046399</end>
                    </date_range>
                    <generator>Signet test</generator>
                  </report_metadata>
                  <policy_published>
                    <domain>example.com</domain>
                    <discovery_method>treewalk</discovery_method>
                    <p>reject</p>
                    <sp>quarantine</sp>
                    <np>quarantine</np>
                    <fo>0</fo>
                    <adkim>r</adkim>
                    <aspf>r</aspf>
                    <testing>n</testing>
                  </policy_published>
                  <record>
                    <row>
                      <source_ip>192.0.2.1</source_ip>
                      <count>2</count>
                      <policy_evaluated>
                        <disposition>pass</disposition>
                        <dkim>pass</dkim>
                        <spf>fail</spf>
                      </policy_evaluated>
                    </row>
                    <identifiers>
                      <header_from>news.example.com</header_from>
                      <envelope_from>bounce.example.com</envelope_from>
                      <envelope_to>receiver.example</envelope_to>
                    </identifiers>
                    <auth_results>
                      <dkim>
                        <domain>example.com</domain>
                        <selector>s1</selector>
                        <result>pass</result>
                      </dkim>
                      <spf>
                        <domain>bounce.example.com</domain>
                        <scope>mfrom</scope>
                        <result>softfail</result>
                      </spf>
                    </auth_results>
                  </record>
                </feedback>

                """)
    }

    /// RFC 9990, section 3.1.5: the owner learns what of the record was of no use.
    @Test func `faults of the record are said, and count as absent`() throws {
        let report = try report(
            Self.sample {
                $0.policy?.p = "invalid"
                $0.policy?.sp = "invalid"
                $0.policy?.adkim = "invalid"
                $0.policy?.failureOptions = "invalid"
                $0.policy?.failureAddresses = ["invalid"]
            })
        let text = String(decoding: report.document, as: UTF8.self)
        let fault =
            "DMARC Policy Record has tags not valid, and taken as absent: p, sp, adkim, fo; the policy counts"
            + " as none (RFC 9989, section 4.10.1); and tags with addresses that are not valid, and passed"
            + " over: ruf"
        #expect(text.contains("</date_range>\n    <error>\(fault)</error>\n    <generator>"))
        #expect(text.contains("<p>none</p>\n    <sp>none</sp>\n    <np>none</np>\n    <fo>0</fo>"))
        #expect(text.contains("<adkim>r</adkim>"))
        // The other elements have nothing of it.
        #expect(text.components(separatedBy: "invalid").count == 1)
    }

    @Test func `addresses that are no URIs get no report, and are said`() throws {
        let policy = Evaluation.Policy(
            domain: "example.com", applied: "none", p: "none",
            reportAddresses: ["mailto:d@example.com", "invalid"])
        #expect(ReportDestinations.addresses(of: policy).count == 1)
        #expect(PolicyFaults.words(policy)?.hasSuffix("and passed over: rua") == true)
        let good = Evaluation.Policy(domain: "a.example", applied: "none", p: "none")
        #expect(PolicyFaults.words(good) == nil)
    }

    /// What an evaluation makes of "policy_evaluated".
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: String
        let change: @Sendable (inout Evaluation) -> Void

        init(
            _ name: String, _ expected: String,
            _ change: @escaping @Sendable (inout Evaluation) -> Void
        ) {
            (testDescription, self.expected, self.change) = (name, expected, change)
        }
    }

    static let cases = [
        Case("a pass under p=none", "none pass fail") { $0.policy?.applied = "none" },
        Case("a failure that is rejected", "reject fail fail") {
            ($0.result, $0.disposition, $0.isDKIMAligned) = ("fail", "reject", false)
        },
        Case("a failure under p=none", "none fail fail") {
            ($0.result, $0.isDKIMAligned) = ("fail", false)
            $0.policy?.applied = "none"
        },
        Case("less than asked for, by local policy", "quarantine fail fail local_policy:as is") {
            ($0.result, $0.disposition, $0.isDKIMAligned) = ("fail", "quarantine", false)
            $0.overrides = [.init(kind: "local_policy", comment: "as is")]
        },
        Case("two reasons", "none fail fail mailing_list:a trusted_forwarder:b") {
            ($0.result, $0.isDKIMAligned) = ("fail", false)
            $0.overrides = [
                .init(kind: "mailing_list", comment: "a"),
                .init(kind: "trusted_forwarder", comment: "b"),
            ]
        },
        Case("a reason that RFC 9990 does not have", "none fail fail other:sampled_out: x") {
            ($0.result, $0.isDKIMAligned) = ("fail", false)
            $0.overrides = [.init(kind: "sampled_out", comment: "x")]
        },
        Case("less than asked for in test mode", "none fail fail policy_test_mode:") {
            ($0.result, $0.isDKIMAligned) = ("fail", false)
            $0.policy?.isTesting = true
        },
        Case("less than asked for without a reason", "none fail fail local_policy:") {
            ($0.result, $0.isDKIMAligned) = ("fail", false)
        },
    ]

    @Test(arguments: cases) func `dispositions and reasons`(_ one: Case) throws {
        let report = try report(Self.sample(one.change))
        let evaluated = try part("policy_evaluated", of: report)
        let words = one.expected.split(separator: " ", maxSplits: 3).map(String.init)
        var expected =
            "<policy_evaluated><disposition>\(words[0])</disposition><dkim>\(words[1])</dkim><spf>\(words[2])</spf>"
        let reasons = words.count < 4 ? [] : Self.reasons(words[3])
        for (type, comment) in reasons {
            expected += "<reason><type>\(type)</type>"
            if !comment.isEmpty { expected += "<comment>\(comment)</comment>" }
            expected += "</reason>"
        }
        #expect(evaluated == expected + "</policy_evaluated>")
    }

    /// Reasons as `type:comment`; a blank begins the next where a type follows it.
    private static func reasons(_ text: String) -> [(String, String)] {
        let types = [
            "local_policy", "mailing_list", "trusted_forwarder", "other", "policy_test_mode",
        ]
        return text.replacing(" trusted_forwarder:", with: "\ntrusted_forwarder:")
            .split(separator: "\n").compactMap { line in
                guard let type = types.first(where: { line.hasPrefix("\($0):") }) else {
                    return nil
                }
                return (type, String(line.dropFirst(type.count + 1)))
            }
    }

    @Test func `a null reverse-path is an empty element, and its SPF has the scope mfrom`() throws {
        let report = try report(
            Self.sample {
                ($0.envelopeFrom, $0.envelopeTo) = (nil, nil)
                $0.authentications = [
                    .init(
                        mechanism: "spf", domain: "mail.example.com", scope: "helo", result: "pass")
                ]
            })
        #expect(
            try part("identifiers", of: report)
                == "<identifiers><header_from>news.example.com</header_from><envelope_from/></identifiers>"
        )
        #expect(
            try part("auth_results", of: report)
                == "<auth_results><spf><domain>mail.example.com</domain><scope>mfrom</scope><result>pass</result></spf></auth_results>"
        )
    }

    /// RFC 9990, section 3.1.3: "no more than 100 signatures for a given "row", in decreasing
    /// priority".
    @Test func `of 150 signatures there are the 100 most telling`() throws {
        let report = try report(
            Self.sample {
                $0.authentications = (0..<149).map {
                    .init(mechanism: "dkim", domain: "d\($0).test", selector: "s", result: "fail")
                }
                $0.authentications.append(
                    .init(mechanism: "dkim", domain: "example.com", selector: "s", result: "pass"))
            })
        let results = try part("auth_results", of: report)
        #expect(results.components(separatedBy: "<dkim>").count - 1 == 100)
        #expect(results.hasPrefix("<auth_results><dkim><domain>example.com</domain>"))
    }

    @Test func `what a report does not tell apart is one record`() throws {
        let report = try report(
            Self.sample(), Self.sample { $0.arc = "pass" }, Self.sample { $0.arc = "fail" },
            Self.sample { $0.sourceAddress = "2001:db8::1" })
        #expect(report.records == 2)
        #expect(report.messages == 4)
    }

    @Test
    func `there is a report for each policy domain and each policy, and none without records`()
        throws
    {
        let reports = try Self.reports(of: [
            Self.sample(), Self.sample { $0.policy?.domain = "other.example" },
            Self.sample { $0.policy?.p = "none" }, Self.sample { $0.policy = nil },
            Self.sample {
                $0.policy?.domain = "local.example"
                $0.sourceAddress = nil
            },
            Self.sample { $0.received += 86_400 },
        ])
        #expect(
            reports.map(\.identity.policyDomain) == ["example.com", "example.com", "other.example"])
        #expect(Set(reports.map(\.identity.reportID)).count == 3)
        #expect(reports.map(\.messages) == [1, 1, 1])
    }

    @Test func `hostile text makes valid XML`() throws {
        let nasty = "]]>&<a>\u{0}\u{1}\u{8}\u{B}\u{7F}\u{85}\u{FFFE}\u{FFFF}\u{10FFFF}\"'é日"
        let broken = String(decoding: [0xC3, 0x28, 0xFF, 0x41], as: UTF8.self)
        for text in [nasty, broken, String(repeating: "\u{1F600}", count: 3000)] {
            let report = try report(
                Self.sample {
                    ($0.headerFrom, $0.envelopeFrom, $0.sourceAddress) = (text, text, text)
                    ($0.result, $0.disposition) = (text, text)
                    $0.policy = .init(
                        domain: text, applied: text, p: text, sp: text, np: text, adkim: text,
                        aspf: text, discovery: text, reportAddresses: [text], failureOptions: text)
                    $0.authentications = [
                        .init(mechanism: "dkim", domain: text, selector: text, result: text),
                        .init(mechanism: "spf", domain: text, scope: text, result: text),
                    ]
                    $0.overrides = [.init(kind: text, comment: text)]
                })
            #expect(
                report.identity.fileName.utf8.allSatisfy {
                    $0 != UInt8(ascii: "/") && 0x21...0x7E ~= $0
                })
        }
    }

    /// RFC 9990, section 3.5.2, and 3.5.1 for the Report-ID.
    @Test func `the file name and the Subject follow the ABNF, with one id everywhere`() throws {
        let first = try report(Self.sample())
        let name = "[A-Za-z0-9.-]+"
        #expect(
            first.identity.fileName.wholeMatch(
                of: try Regex("\(name)!\(name)![0-9]+![0-9]+![A-Za-z0-9]+\\.xml\\.gz")) != nil)
        #expect(
            first.identity.subject.wholeMatch(
                of: try Regex("Report Domain: \(name) Submitter: \(name) Report-ID: <[A-Za-z0-9]+>")
            )
                != nil)
        let id = first.identity.reportID
        #expect(first.identity.fileName.hasSuffix("!\(id).xml.gz"))
        #expect(first.identity.subject.hasSuffix("<\(id)>"))
        // "the system MUST use the same filename as the original report": it does not depend on the
        // store.
        let second = try report(Self.sample(), Self.sample { $0.sourceAddress = "192.0.2.9" })
        #expect(second.identity == first.identity)
    }

    @Test func `gzip gives back the same octets, and the same ones each time`() throws {
        let document = try report(Self.sample()).document
        let compressed = try Gzip.compressed(document)
        #expect(compressed.count < document.count)
        #expect(try Gzip.compressed(document) == compressed)
        let folder = try TemporaryDirectory("signet-reports")
        let path = try folder.write(compressed, to: "report.xml.gz")
        #expect(
            try Command.require("gzip", ["-dc", path]) == String(decoding: document, as: UTF8.self))
        #expect(try !Gzip.compressed([]).isEmpty)
    }
}
