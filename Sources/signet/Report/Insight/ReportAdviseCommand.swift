import ArgumentParser
import DaemonKit
import Foundation
import MailSyntax
import ReportInsight

/// `signet report advise`: what a stricter policy would cost.
struct ReportAdviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advise",
        abstract: "Says which policy a domain may publish, and what it would stop.",
        discussion: """
            Exit status 0; 1 if there are no reports about the domain; 66 if the store cannot be read.
            """)

    @Argument(help: "The domain.")
    var domain: String

    @OptionGroup var options: InsightOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    private struct Output: Encodable {
        let domain: String
        let recommendation: String
        let reason: String
        let record: String
        let messages: Int64
        let failed: Int64
        let legitimate: Int64
        let sources: [Source]
    }

    private struct Source: Encodable {
        let source: String
        let name: String
        let kind: String
        let failed: Int64
        let legitimate: Int64
        let why: String
    }

    func run() throws {
        let name = try DomainArgument.parse(domain).ascii
        let insight = try options.insight(only: name)
        guard let found = insight.domains.first else {
            complain("there are no reports about \(name)")
            throw ExitCode(1)
        }
        let published =
            options.asksDNS
            ? SourceNames(resolver: try options.dns.resolver()).dmarcRecord(of: name) : nil
        let advice = Advice(for: found, published: published)
        if json {
            print(
                try JSONOutput.text(
                    of: Output(
                        domain: name, recommendation: advice.policy.rawValue,
                        reason: advice.reason, record: advice.record,
                        messages: found.total.messages, failed: advice.failed,
                        legitimate: advice.legitimate,
                        sources: advice.hits.map {
                            Source(
                                source: $0.source.address, name: $0.source.name,
                                kind: $0.source.kind.rawValue, failed: $0.source.failed,
                                legitimate: $0.legitimate, why: $0.why)
                        })))
            return
        }
        let terminal = Terminal.standardOutput
        func show(_ text: String, _ label: String = "") {
            for line in terminal.wrapped(LogText.safe(text), label: label, labelWidth: label.count)
            {
                print(line)
            }
        }
        show("\(name): p=\(advice.policy.rawValue), as \(advice.reason).")
        if !advice.hits.isEmpty {
            print("\nA policy of quarantine or reject would have stopped:")
            for hit in advice.hits.prefix(30) {
                let ours =
                    hit.legitimate > 0
                    ? ", of which \(Percent.number(hit.legitimate)) look like yours" : ""
                show(
                    "\(Percent.number(hit.source.failed)) of \(hit.source.name) (\(hit.source.kind.words))\(ours): \(hit.why)",
                    "  ")
            }
        }
        // To be published as it is, so it is not cut.
        let record = LogText.safe(advice.record, limit: .max)
        print("\nThe record of _dmarc.\(name):\n  \(record)")
        if published == nil {
            show("Keep the addresses of the record that is published; --names reads it.")
        }
    }
}
