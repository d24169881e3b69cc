import Foundation
import ReportStore
import TestKit
import Testing

@testable import Reports

/// Somebody else's readers accept our reports, and find in them what we wrote.
@Suite(.enabled(if: ReportReaders.python != nil, "PyPI cannot be reached"))
struct OtherReadersTests {
    private static let evaluations: [Evaluation] = [
        ReportTests.sample(),
        ReportTests.sample {
            $0.sourceAddress = "2001:db8::1"
            $0.envelopeFrom = nil
            $0.envelopeTo = nil
            ($0.result, $0.disposition) = ("fail", "quarantine")
            ($0.isDKIMAligned, $0.isSPFAligned) = (false, false)
            $0.overrides = [.init(kind: "mailing_list", comment: "it's <a> list & \"more\"")]
        },
        ReportTests.sample {
            $0.sourceAddress = "192.0.2.3"
            $0.authentications = (0..<150).map {
                .init(mechanism: "dkim", domain: "d\($0).example", selector: "s", result: "fail")
            }
        },
        ReportTests.sample {
            $0.sourceAddress = "192.0.2.4"
            $0.policy?.isTesting = true
            ($0.result, $0.disposition, $0.isDKIMAligned) = ("fail", "none", false)
        },
    ]

    private func run(_ script: String, _ arguments: [String]) throws -> String {
        try Command.require(try #require(ReportReaders.python), ["-c", script] + arguments)
    }

    @Test func `the strict schema of the package dmarc`() throws {
        let folder = try TemporaryDirectory("signet-readers")
        let reports = try ReportTests.reports(of: Self.evaluations)
        #expect(reports.count == 2)
        let files = try reports.map {
            try folder.write($0.document, to: "\($0.identity.reportID).xml")
        }
        let script = """
            import sys
            from dmarc.report import DMARC2Schema
            for path in sys.argv[1:]:
                DMARC2Schema.validate(path)
            """
        _ = try run(script, files)
    }

    @Test func `parsedmarc finds what the mail has`() throws {
        let folder = try TemporaryDirectory("signet-readers")
        let reports = try ReportTests.reports(of: Self.evaluations)
        let files = try reports.map { report in
            let mail = ReportMail.text(
                report.identity, try Gzip.compressed(report.document), by: ReportTests.reporter,
                at: (ReportTests.day + 1) * 86_400)
            return try folder.write(
                Array("To: <d@example.com>\n\(mail)".utf8), to: report.identity.reportID)
        }
        let script = """
            import json, sys
            from parsedmarc import parse_report_email
            found = []
            for path in sys.argv[1:]:
                parsed = parse_report_email(open(path, "rb").read(), offline=True)
                assert parsed["report_type"] == "aggregate"
                report = parsed["report"]
                meta = report["report_metadata"]
                assert not meta["errors"], meta["errors"]
                assert meta["org_name"] == "Example & Söhne <mail>", meta["org_name"]
                assert report["policy_published"]["domain"] == "example.com"
                assert meta["report_id"] in path
                for record in report["records"]:
                    results = record["auth_results"]
                    reasons = record["policy_evaluated"]["policy_override_reasons"]
                    found.append([
                        record["source"]["ip_address"], record["count"],
                        record["policy_evaluated"]["disposition"], len(results["dkim"]),
                        len(results["spf"]), reasons[0]["type"] if reasons else ""])
            for row in sorted(found):
                print(*row)
            """
        #expect(
            try run(script, files) == """
                192.0.2.1 1 pass 1 1 
                192.0.2.3 1 pass 100 0 
                192.0.2.4 1 none 1 1 policy_test_mode
                2001:db8::1 1 quarantine 1 1 mailing_list

                """)
    }
}
