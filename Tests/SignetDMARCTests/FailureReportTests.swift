import FailureReports
import Foundation
import MailCrypto
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// A message from victim.example, and what is made of it where failure reports are on.
struct FailureCase {
    /// The policy record of victim.example.
    var policy = "v=DMARC1; p=reject; ruf=mailto:f@victim.example"
    /// Further lines of the configuration.
    var configuration = "FailureReports yes\nFailureReportsSentBy dmarc@example.org"
    /// The domain that signs; nil for none.
    var signer: String?
    /// Whether the body is changed after signing.
    var isChanged = false
    /// MAIL FROM.
    var sender = "<x@evil.example>"
    /// The client.
    var address = "203.0.113.66"
    var recipients = ["<bob@example.org>"]
    /// Further fields.
    var extra: [(String, String)] = []
    /// The body before the change; nil for the usual one.
    var body: [UInt8]?

    /// Passes the message through, and reads the spool.
    func reports() throws -> [WaitingReport] {
        let folder = try TemporaryDirectory("signet-failures")
        let path = folder.file("spool")
        var exchange = Exchange(
            configuration: "\(configuration)\nFailureReportsDirectory \(path)\nRejectFailures yes")
        // A character string holds at most 255 octets.
        let strings = stride(from: 0, to: policy.utf8.count, by: 200).map {
            policy.dropFirst($0).prefix(200)
        }
        exchange.zone = Exchange.zone.replacing(
            "v=DMARC1; p=reject; np=reject; rua=mailto:d@victim.example",
            with: strings.joined(separator: "\" \""))
        exchange.sender = sender
        exchange.address = address
        exchange.recipients = recipients
        var message = MailMessage.from("Jane Doe <ceo@victim.example>")
        if let body { message.body = body }
        if let signer {
            let sealer = try Sealer(signer)
            exchange.zone += "\n" + sealer.record
            message = try sealer.sign(message)
        }
        if isChanged { message.body += Array("changed\r\n".utf8) }
        message.fields = extra.map { MailMessage.Field($0, " " + $1) } + message.fields
        _ = try exchange.pass(message)
        let spool = FailureSpool(path: path)
        return (try? spool.waiting())?.compactMap { spool.report($0) } ?? []
    }

    /// The fields of the machine's part of the one report; nil where there is none.
    func fields() throws -> [String: String]? {
        let reports = try reports()
        #expect(reports.count <= 1)
        return try reports.first.map { try Self.fields(of: $0) }
    }

    static func fields(of report: WaitingReport) throws -> [String: String] {
        let script = """
            import email, email.policy, json, sys
            mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
            assert mail.get_content_type() == "multipart/report", mail.get_content_type()
            assert mail.get_param("report-type") == "feedback-report"
            assert mail["auto-submitted"] == "auto-generated"
            text, feedback, header = mail.get_payload()
            assert not mail.defects, mail.defects
            assert text.get_content_type() == "text/plain"
            assert feedback.get_content_type() == "message/feedback-report"
            assert header.get_content_type() == "text/rfc822-headers"
            part = feedback.get_payload()
            part = part[0] if isinstance(part, list) else email.message_from_string(part)
            for name, value in part.items():
                print(name + "\\t" + " ".join(value.split()))
            """
        let folder = try TemporaryDirectory("signet-failures")
        let file = try folder.write(report.mail, to: "mail")
        let run = try Command.require("sh", ["-c", "python3 -c \"$0\" < \"$1\"", script, file])
        let pairs = run.split(separator: "\n").map { line in
            let parts = line.split(
                separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
        #expect(Set(pairs.map(\.0)).count == pairs.count, "\(pairs)")
        return Dictionary(pairs) { first, _ in first }
    }
}

/// Failure reports (RFC 9991): which messages they are made about, and what they say.
@Suite struct FailureReportTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let tags: String
        var signer: String?
        var isChanged = false
        var isAligned = false
        let failure: String?
        var alignment = ""

        init(
            _ tags: String, signer: String? = nil, changed: Bool = false, spf: Bool = false,
            _ failure: String?, _ alignment: String = ""
        ) {
            self.tags = tags
            self.signer = signer
            isChanged = changed
            isAligned = spf
            self.failure = failure
            self.alignment = alignment
        }

        var testDescription: String {
            "\(tags) \(signer ?? "unsigned")\(isChanged ? " changed" : "")\(isAligned ? " spf" : "")"
        }
    }

    private static let ruf = "ruf=mailto:f@victim.example"
    private static let victim = "victim.example"

    @Test(arguments: [
        // Nothing asks.
        Row("p=reject", nil), Row("p=reject; fo=1", nil),
        Row("p=reject; ruf=https://victim.example/", nil),
        Row("p=reject; psd=y; \(ruf)", nil), Row("p=none; \(ruf)", nil),
        // "0" is the default: all mechanisms fail.
        Row("p=reject; \(ruf)", "dmarc", "dkim, spf"),
        Row("p=reject; fo=0; \(ruf)", "dmarc", "dkim, spf"),
        Row("p=reject; t=y; \(ruf)", "dmarc", "dkim, spf"),
        Row("p=reject; fo=0; \(ruf)", signer: victim, changed: true, "dmarc", "dkim, spf"),
        Row("p=reject; fo=0; \(ruf)", signer: victim, nil), Row("p=reject; \(ruf)", spf: true, nil),
        // "1": any mechanism fails.
        Row("p=reject; fo=1; \(ruf)", "dmarc", "dkim, spf"),
        Row("p=reject; fo=1; \(ruf)", signer: victim, "dmarc", "spf"),
        Row("p=reject; fo=1; \(ruf)", spf: true, "dmarc", "dkim"),
        Row("p=reject; fo=1; \(ruf)", signer: victim, spf: true, nil),
        Row("p=reject; fo=1; \(ruf)", signer: victim, changed: true, spf: true, "dmarc", "dkim"),
        // "d": a signature fails, whatever its alignment.
        Row("p=reject; fo=d; \(ruf)", nil), Row("p=reject; fo=d; \(ruf)", signer: victim, nil),
        Row(
            "p=reject; fo=d; \(ruf)", signer: "evil.example", changed: true, "bodyhash", "dkim, spf"
        ),
        Row("p=reject; fo=d; \(ruf)", signer: victim, changed: true, spf: true, "bodyhash", "dkim"),
        Row("p=reject; fo=1:d; \(ruf)", signer: victim, changed: true, spf: true, "dmarc", "dkim"),
        // "s": SPF fails, whatever its alignment; that of evil.example passes.
        Row("p=reject; fo=s; \(ruf)", nil), Row("p=reject; fo=s; \(ruf)", spf: true, nil),
    ])
    func `fo says which failures are reported`(_ row: Row) throws {
        var message = FailureCase(policy: "v=DMARC1; \(row.tags)")
        message.signer = row.signer
        message.isChanged = row.isChanged
        if row.isAligned {
            message.sender = "<ceo@victim.example>"
            message.address = "192.0.2.1"
        }
        let fields = try message.fields()
        #expect(fields?["Auth-Failure"] == row.failure)
        if row.failure != nil { #expect(fields?["Identity-Alignment"] == row.alignment) }
    }

    /// RFC 6591, section 3.2.4: what is in it "MUST NOT" be redacted, so it is there where nothing is.
    @Test func `the canonicalized header shows what was hashed`() throws {
        var message = FailureCase()
        message.signer = "victim.example"
        message.isChanged = true
        message.extra = [("X-Long", String(repeating: "x", count: 2000))]
        #expect(try message.fields()?["DKIM-Canonicalized-Header"] == nil)
        message.configuration += "\nFailureReportsRedact no"
        let text = try #require(try message.fields()?["DKIM-Canonicalized-Header"])
        let octets = try #require(Data(base64Encoded: text.filter { $0 != " " }))
        let lines = String(decoding: octets, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.contains("from:Jane Doe <ceo@victim.example>"), "\(lines)")
        // The signature comes last, without what b= says and without a line end.
        #expect(lines.last?.hasPrefix("dkim-signature:") == true)
        #expect(lines.last?.hasSuffix("b=") == true || lines.last?.contains("b=;") == true)
        #expect(!lines.contains { $0.hasPrefix("x-long:") })
        // Without a signature there is none.
        message.signer = nil
        #expect(try message.fields()?["DKIM-Canonicalized-Header"] == nil)
    }

    /// RFC 6591, section 3.2.4: "limited to those octets that contribute to the DKIM body hash".
    @Test func `the canonicalized body is there only where it is asked for`() throws {
        var message = FailureCase()
        message.signer = "victim.example"
        message.isChanged = true
        message.configuration += "\nFailureReportsBody yes"
        #expect(try message.fields()?["DKIM-Canonicalized-Body"] == nil)
        message.configuration += "\nFailureReportsRedact no"
        let text = try #require(try message.fields()?["DKIM-Canonicalized-Body"])
        let octets = try #require(Data(base64Encoded: text.filter { $0 != " " }))
        let body = MailMessage.from("x").body + Array("changed\r\n".utf8)
        #expect(Array(octets) == body)
        // A long one stays out, and nothing else does.
        message.body = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
        let fields = try #require(try message.fields())
        #expect(fields["DKIM-Canonicalized-Body"] == nil)
        #expect(fields["DKIM-Canonicalized-Header"] != nil)
    }

    /// RFC 6591, section 3.1, and RFC 9991, section 4.
    @Test func `all fields are there, and nothing of people`() throws {
        var message = FailureCase()
        message.signer = "victim.example"
        message.isChanged = true
        message.sender = "<ceo@victim.example>"
        message.address = "203.0.113.66"
        let report = try #require(try message.reports().first)
        let fields = try FailureCase.fields(of: report)
        let expected = [
            "Feedback-Type": "auth-failure", "Version": "1", "User-Agent": "Signet tests",
            "Auth-Failure": "dmarc", "Identity-Alignment": "dkim, spf", "Delivery-Result": "reject",
            "Authentication-Results": "mx.example.org; dmarc=fail header.from=victim.example",
            "DKIM-Domain": "victim.example", "DKIM-Identity": "@victim.example",
            "DKIM-Selector": "s", "SPF-DNS": "txt : victim.example : \"v=spf1 ip4:192.0.2.1 -all\"",
            "Original-Envelope-Id": "4XyZ", "Source-IP": "203.0.113.66",
            "Reported-Domain": "victim.example",
        ]
        for (name, value) in expected { #expect(fields[name] == value, "\(name)") }
        #expect(fields["Original-Mail-From"]?.hasSuffix("@victim.example>") == true)
        #expect(fields["Arrival-Date"] != nil && fields["Incidents"] == nil)
        let text = String(decoding: report.mail, as: UTF8.self)
        for secret in ["ceo", "Jane", "bob", "Bob", "Hello"] { #expect(!text.contains(secret)) }
        #expect(text.contains("\nMessage-ID: <1@evil.example>\n"))
        #expect(report.addresses == ["mailto:f@victim.example"])
        #expect(report.policyDomain == "victim.example")
        #expect(report.sender == "dmarc@example.org")
    }

    @Test func `an SPF failure is told with its record`() throws {
        var message = FailureCase(policy: "v=DMARC1; p=reject; fo=s; \(Self.ruf)")
        message.sender = "<ceo@victim.example>"
        let fields = try #require(try message.fields())
        #expect(fields["Auth-Failure"] == "spf")
        #expect(
            fields["Authentication-Results"]
                == "mx.example.org; spf=fail smtp.mailfrom=victim.example")
        #expect(fields["SPF-DNS"] != nil)
    }

    @Test func `there is no report about a report, nor about an answer`() throws {
        let changes: [(inout FailureCase) -> Void] = [
            { $0.sender = "<>" }, { $0.extra = [("Auto-Submitted", "auto-generated")] },
            { $0.extra = [("Auto-Submitted", "auto-replied (vacation)")] },
            { $0.extra = [("Auto-Submitted", "no"), ("Auto-Submitted", "auto-notified")] },
            { $0.extra = [("Content-Type", "multipart/report; report-type=feedback-report")] },
            { $0.recipients = ["<bob@example.org>", "<DMARC@example.org>"] },
        ]
        for change in changes {
            var message = FailureCase()
            change(&message)
            #expect(try message.reports().isEmpty, "\(message)")
        }
        var human = FailureCase()
        human.extra = [("Auto-Submitted", "No (really)")]
        #expect(try human.reports().count == 1)
    }

    @Test func `there is none about what others evaluated, or what is ignored`() throws {
        for line in ["SPFSelfValidate no", "DKIMSelfValidate no"] {
            var message = FailureCase()
            message.configuration += "\nTrustedAuthservIDs other.example\n\(line)"
            #expect(try message.reports().isEmpty)
        }
        var message = FailureCase()
        message.configuration += "\nIgnoreHosts 203.0.113.66"
        #expect(try message.reports().isEmpty)
    }

    @Test func `ten addresses at most, each once`() throws {
        let addresses = (0..<100).map { "mailto:f\($0)@victim.example!10m" }.joined(separator: ", ")
        let list = "mailto:f0@victim.example, mailto:nobody, " + addresses
        let report = try #require(
            try FailureCase(policy: "v=DMARC1; p=reject; ruf=\(list)").reports().first)
        #expect(report.addresses.count == 10 && Set(report.addresses).count == 10)
    }

    @Test(.enabled(if: ReportReaders.python != nil, "PyPI cannot be reached"))
    func `parsedmarc reads it`() throws {
        var message = FailureCase()
        message.signer = "victim.example"
        message.isChanged = true
        let report = try #require(try message.reports().first)
        let folder = try TemporaryDirectory("signet-failures")
        let file = try folder.write(
            Array("To: <f@victim.example>\n".utf8) + report.mail, to: "mail")
        let script = """
            import sys
            from parsedmarc import parse_report_email
            parsed = parse_report_email(open(sys.argv[1], "rb").read(), offline=True)
            assert parsed["report_type"] in ("failure", "forensic"), parsed["report_type"]
            report = parsed["report"]
            for name in ("feedback_type", "reported_domain", "dkim_domain", "delivery_result"):
                print(report[name])
            print(report["source"]["ip_address"], *report["auth_failure"])
            """
        let python = try #require(ReportReaders.python)
        #expect(
            try Command.require(python, ["-c", script, file]) == """
                auth-failure
                victim.example
                victim.example
                reject
                203.0.113.66 dmarc

                """)
    }
}
