import ArgumentParser
import Configuration
import DaemonKit
import Foundation
import MailSyntax
import ReportInsight
import ReportStore
import Reports

/// `signet report advise`: what a stricter policy would cost.
struct ReportAdviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advise",
        abstract: "Says which policy a domain may publish, and what it would stop.",
        discussion: """
            Exit status 0; 1 if there are no reports about the domain; 66 if the store cannot be read.
            """)

    @Argument(help: "The domain.")
    var domain: String?

    @Flag(
        help:
            "About mail that comes in: what RejectFailures of signet-dmarc would have refused in the last 30 days, or --since."
    )
    var inbound = false

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

    func validate() throws {
        if inbound == (domain != nil) {
            throw ValidationError("name a domain, or give --inbound")
        }
    }

    func run() throws {
        guard let domain else { return try showInbound() }
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

    private struct InboundOutput: Encodable {
        let messages: Int64
        let failed: Int64
        let refused: Int64
        let would_refuse: Int64
        let look_real: Int64
        let domains: [Domain]

        struct Domain: Encodable {
            let domain: String
            let would_refuse: Int64
            let look_real: Int64
        }
    }

    private func showInbound() throws {
        let today = CalendarDay.today.number
        let first = CalendarDay.since(options.since ?? "30d")?.number ?? today
        let found: InboundAdvice
        do {
            found = try InboundAdvice(
                of: try evaluations().store(), in: min(first, today)...today)
        } catch let error as SinkError {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
        if json {
            print(
                try JSONOutput.text(
                    of: InboundOutput(
                        messages: found.messages, failed: found.failed, refused: found.refused,
                        would_refuse: found.stopped, look_real: found.changed,
                        domains: found.domains.map {
                            .init(
                                domain: $0.domain, would_refuse: $0.messages, look_real: $0.changed)
                        })))
            return
        }
        let terminal = Terminal.standardOutput
        for line in terminal.wrapped("\(found.answer); \(found.advice).", label: "", labelWidth: 0)
        {
            print(line)
        }
        for domain in found.domains.prefix(30) {
            let real =
                domain.changed > 0 ? ", of which \(Percent.number(domain.changed)) look real" : ""
            print(
                LogText.safe("  \(domain.domain): \(Percent.number(domain.messages))\(real)"))
        }
    }

    /// The store of signet-dmarc.
    private func evaluations() throws -> StoreLocation {
        if let store = options.stored.store { return StoreLocation(store) ?? .file(store) }
        let file = "/etc/signet/dmarc.conf"
        guard FileManager.default.isReadableFile(atPath: file) else {
            return .file(ReportSettings.defaultStore)
        }
        let reader = ConfigurationReader(
            schema: ConfigurationSchema(ReportSettings.directives), file: file,
            passingOverOthers: true)
        return try ReportOptions.location(ReportSettings(reader))
    }
}
