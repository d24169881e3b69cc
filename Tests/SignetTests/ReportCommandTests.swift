import Foundation
import ReportStore
import TestKit
import Testing

/// `signet report preview` as scripts use it.
@Suite("signet report")
struct ReportCommandTests {
    /// 2026-11-18.
    private static let day: Int64 = 20_775

    private func makeStore(_ path: String) throws {
        var evaluation = Evaluation(
            received: Self.day * 86_400, reporter: "mx.receiver.example", headerFrom: "example.com",
            result: "pass", disposition: "none")
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.policy = Evaluation.Policy(
            domain: "example.com", applied: "none", p: "none",
            reportAddresses: ["mailto:d@example.com", "https://example.com/d"])
        var second = evaluation
        second.policy?.domain = "second.example"
        var silent = evaluation
        silent.policy = Evaluation.Policy(domain: "silent.example", applied: "none", p: "none")
        try SQLiteReportStore(path: path).write([evaluation, evaluation, second, silent])
    }

    @Test func `each report's recipients, subject and file are printed`() throws {
        let folder = try TemporaryDirectory("signet-preview")
        try makeStore(folder.file("reports.db"))
        let arguments = [
            "report", "preview", "--store", folder.file("reports.db"), "--day", "2026-11-18",
            "--email", "dmarc@receiver.example",
        ]
        let all = try SignetCommand.run(arguments)
        #expect(all.status == 0, "\(all.errors)")
        let lines = all.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 8)
        #expect(lines.first == "example.com 2026-11-18: 2 messages in 1 records")
        #expect(lines[1] == "  To: mailto:d@example.com")
        #expect(
            lines[2].hasPrefix(
                "  Subject: Report Domain: example.com Submitter: receiver.example Report-ID: <"))
        #expect(lines[3].hasPrefix("  File: receiver.example!example.com!1794960000!1795046399!"))
        #expect(lines[4] == "second.example 2026-11-18: 1 messages in 1 records")

        let one = try SignetCommand.run(
            arguments + ["--xml", "--organization", "A & B", "Second.example"])
        #expect(one.output.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback "))
        #expect(one.output.components(separatedBy: "</feedback>").count == 2)
        #expect(one.output.contains("<org_name>A &amp; B</org_name>"))
        #expect(one.output.contains("<domain>second.example</domain>"))
        // Nothing on other days.
        let none = try SignetCommand.run([
            "report", "preview", "--store", folder.file("reports.db"), "--day", "2026-11-17",
        ])
        #expect(none.status == 0)
        #expect(none.output.isEmpty)
    }

    @Test func `what cannot be read is said`() throws {
        let folder = try TemporaryDirectory("signet-preview")
        let missing = try SignetCommand.run(["report", "preview", "--store", folder.file("x.db")])
        #expect(missing.status == 66)
        #expect(missing.errors.contains("the store cannot be read: "))
        #expect(!FileManager.default.fileExists(atPath: folder.file("x.db")))
        for day in ["2026-02-29", "2026-13-01", "20261118", "1969-12-31", "2026-1-1", "a"] {
            #expect(try SignetCommand.run(["report", "preview", "--day", day]).status == 64)
        }
    }
}
