import ArgumentParser
import DaemonKit
import Explanation
import FlightRecord
import MailSyntax

/// `signet why`: the last verdicts about a domain's mail, and what would change them.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tells the last verdicts about a domain's mail, and what would change them.",
        discussion: "Exit status 0 if there are any, 1 if not.")

    @Argument(help: "The domain of the From field, or of the envelope's sender.")
    var domain: String

    @OptionGroup var records: RecordOptions

    @Option(help: "How far to look back: 90m, 6h, 14d.")
    var since = "14d"

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let name = try DomainArgument.parse(domain).ascii
        let since = FlightRecorder.systemTime() - (try TimeArgument.span(since)) * 1_000_000
        let entries = FlightReader(directories: records.records)
            .entries(with: [name], FlightScope(since: since)) { DomainVerdicts.concerns($0, name) }
        let verdicts = DomainVerdicts(name, entries)
        if json {
            print(try JSONOutput.text(of: WhyJSON(verdicts)))
        } else {
            let terminal = Terminal.standardOutput
            for line in [verdicts.answer] + verdicts.advice {
                for part in terminal.wrapped(
                    LogText.safe(line, limit: 2_000), label: "", labelWidth: 0)
                {
                    print(part)
                }
            }
            if !entries.isEmpty { print("") }
            for entry in entries.suffix(20) {
                for line in ExplainCommand.lines(entry, terminal) { print(line) }
            }
        }
        if entries.isEmpty { throw ArgumentParser.ExitCode(1) }
    }
}

/// What is known of a domain, as `signet why --json` writes it.
struct WhyJSON: Encodable {
    let domain: String
    let answer: String
    let advice: [String]
    let counts: [String: Int]
    let last: [StoryJSON]

    init(_ verdicts: DomainVerdicts) {
        domain = verdicts.domain
        answer = verdicts.answer
        advice = verdicts.advice
        counts = verdicts.counts
        last = verdicts.entries.suffix(20).map { StoryJSON(MessageStory(of: $0)) }
    }
}
