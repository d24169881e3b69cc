import ArgumentParser
import DaemonKit
import Foundation
import MailSyntax
import ReportInsight
import ReportStore
import Reports

/// `signet report show`: what the received reports say.
struct ReportShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what received reports say about our domains.",
        discussion: "Exit status 0; 66 if the store cannot be read.")

    @Argument(help: "Only this domain.")
    var domain: String?

    @OptionGroup var options: InsightOptions

    @Option(
        help: ArgumentHelp("Only this source, in detail.", valueName: "address|name"))
    var source: String?

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        let wanted = try domain.map { try DomainArgument.parse($0).ascii }
        let insight = try options.insight(only: wanted)
        if json {
            print(try JSONOutput.text(of: InsightJSON(insight, source: source)))
            return
        }
        let terminal = Terminal.standardOutput
        for line in InsightText(insight, width: terminal.width.map { min($0, 200) }).lines(
            source: source)
        {
            print(LogText.safe(line))
        }
    }
}

/// What the reports say, for programs.
struct InsightJSON: Encodable {
    let domains: [Domain]
    let tls: [Sessions]
    let failures: [Failure]
    let kept_aside: Aside

    /// What is kept aside, and counted nowhere else.
    struct Aside: Encodable {
        let mails: Int
        let refused: Int
        let foreign: Int
    }

    struct Domain: Encodable {
        let domain: String
        let messages: Int64
        let pass: Int64
        let fail: Int64
        let fully_aligned: Int64
        let partly_aligned: Int64
        let unverifiable: Int64
        let reports: Int
        let policy: String
        let signed_here: SignedHere?
        let sources: [Source]
    }

    /// What reports say of mail that this host has signed.
    struct SignedHere: Encodable {
        let since: Int64
        let messages: Int64
        let recipient_domains: Int
        let reported: Int64
        let failed: Int64
        let failed_unsigned: Int64
        let failed_unsigned_own: Int64
        let failed_other_selectors: Int64
        let reporters: [Reporter]

        struct Reporter: Encodable {
            let reporter: String
            let messages: Int64
            let failed: Int64
            let through: [Through]
        }

        struct Through: Encodable {
            let name: String
            let failed: Int64
        }

        init?(_ domain: DomainInsight) {
            guard let loop = domain.loop, let words = ClosedLoopWords(domain) else { return nil }
            since = loop.begin * 86_400
            (messages, recipient_domains) = (loop.signed, loop.recipients)
            (reported, failed) = (loop.ours, loop.broken)
            (failed_unsigned, failed_unsigned_own) = (loop.unsigned, words.unsignedOfOurs)
            failed_other_selectors = loop.others
            reporters = words.worst.map { line in
                Reporter(
                    reporter: line.reporter, messages: line.messages, failed: line.failed,
                    through: line.sources.map { Through(name: $0.name, failed: $0.failed) })
            }
        }
    }

    struct Source: Encodable {
        let source: String
        let name: String
        let kind: String
        let messages: Int64
        let spf_aligned: Int64
        let dkim_aligned: Int64
        let pass: Int64
        let fail: Int64
        let legitimate: Int64
        let first: Int64
        let last: Int64
    }

    struct Sessions: Encodable {
        let domain: String
        let policy: String
        let successful: Int64
        let failed: Int64
        let failures: [SessionFailure]
    }

    struct SessionFailure: Encodable {
        let type: String
        let host: String
        let sessions: Int64
    }

    struct Failure: Encodable {
        let time: Int64
        let domain: String
        let source: String
        let header_from: String
        let failure: String
        let delivery: String
    }

    init(_ insight: Insight, source wanted: String? = nil) {
        domains = insight.domains.map { domain in
            let total = domain.total
            return Domain(
                domain: domain.domain, messages: total.messages, pass: total.passed,
                fail: total.failed, fully_aligned: total.fullyAligned,
                partly_aligned: total.partlyAligned, unverifiable: total.unverifiable,
                reports: domain.reports, policy: domain.policy, signed_here: SignedHere(domain),
                sources: domain.sources.filter { source in
                    wanted == nil || source.address == wanted
                        || source.name.lowercased() == wanted?.lowercased()
                }.map { source in
                    Source(
                        source: source.address, name: source.name, kind: source.kind.rawValue,
                        messages: source.messages, spf_aligned: source.spfAligned,
                        dkim_aligned: source.dkimAligned, pass: source.passed,
                        fail: source.failed, legitimate: source.legitimate.messages,
                        first: source.first * 86_400, last: source.last * 86_400 + 86_399)
                })
        }
        tls = insight.sessions.map { sessions in
            Sessions(
                domain: sessions.domain, policy: sessions.type, successful: sessions.successful,
                failed: sessions.failed,
                failures: sessions.failures.map {
                    SessionFailure(type: $0.type, host: $0.host, sessions: $0.sessions)
                })
        }
        let kept = KeptAsideCount(insight.refusals)
        kept_aside = Aside(
            mails: kept?.mails ?? 0, refused: kept?.refused ?? 0, foreign: kept?.foreign ?? 0)
        failures = insight.failures.map { day, domain, failure in
            Failure(
                time: day * 86_400, domain: domain, source: failure.source,
                header_from: failure.headerFrom, failure: failure.failure,
                delivery: failure.delivery)
        }
    }
}
