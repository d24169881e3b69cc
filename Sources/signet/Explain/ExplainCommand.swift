import ArgumentParser
import DaemonKit
import Explanation
import FlightRecord

/// `signet explain`: what became of a message, and why.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells what became of a message, who decided, and why.",
        discussion: """
            WHAT is a queue id, a Message-ID, the identifier that the next host gave, an address, or a \
            client's IP address. The daemons' records and Postfix's log are looked through.

            With --replay the daemons decide again, by what the record has of the message and of the \
            DNS of then; --with names another configuration, --today asks the DNS again.

            Exit status 0 if a message was found, 1 if not.
            """)

    @Argument(help: "What to look for.")
    var what: String?

    @OptionGroup var records: RecordOptions

    @Option(help: "Only messages of ten minutes before or after this time.")
    var at: String?

    @Option(help: "How far to look back: 90m, 6h, 14d.")
    var since = "14d"

    @Option(
        name: .customLong("log"),
        help: "Postfix's log; by default the usual files, or the journal.")
    var logs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Read the journal, by this program, whatever log files there are.", valueName: "path"))
    var journalctl: String?

    @Flag(help: "List what was refused, deferred, discarded or quarantined.")
    var refused = false

    @Flag(name: .shortAndLong, help: "Print all that is known.")
    var verbose = false

    @Flag(help: "Decide again with the recorded facts and DNS answers, and compare.")
    var replay = false

    @Option(
        name: .customLong("with"),
        help: "Decide under this configuration: a file such as dmarc.conf, or a directory.")
    var other: String?

    @Flag(help: "Decide with the DNS and the keys of today.")
    var today = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (what == nil) == refused else {
            throw ValidationError("say what to look for, or --refused")
        }
        guard what.map({ !$0.allSatisfy(\.isWhitespace) && $0 != "<>" }) ?? true else {
            throw ValidationError("there is nothing to look for")
        }
        guard journalctl == nil || logs.isEmpty else {
            throw ValidationError("--journalctl excludes --log")
        }
        guard replay || (other == nil && !today) else {
            throw ValidationError("--with and --today go with --replay")
        }
        guard !replay || !refused else {
            throw ValidationError("--replay goes with a message")
        }
    }

    func run() throws {
        let since = FlightRecorder.systemTime() - (try TimeArgument.span(since)) * 1_000_000
        let reader = FlightReader(directories: records.records)
        guard let what else { return try list(reader, since) }
        let near = try at.map { try TimeArgument.moment($0) }
        let log = try MailLogSource(
            named: logs, MailJournal(journalctl, since: since, near: near),
            isJournalNamed: journalctl != nil)
        let evidence = HostEvidence(reader: reader, log: log, since: since)
        let question = StoryFinder.Question(what, near: near)
        let stories = StoryFinder(evidence).stories(of: question)
        guard !stories.isEmpty else { return try sayNothing(what, reader) }
        let decisions = try repeated(stories)
        let reported = ReportedEvidence(directory: records.directory)
        if json {
            var objects = zip(stories, decisions).map { story, decisions in
                StoryJSON(story, decisions: replay ? decisions : nil)
            }
            for (index, rows) in reported.rows(about: stories).enumerated() {
                objects[index].reports = rows.map(StoryJSON.Reported.init)
            }
            print(
                try objects.count == 1
                    ? JSONOutput.text(of: objects[0]) : JSONOutput.list(of: objects))
            return
        }
        let printer = StoryPrinter(terminal: .standardOutput, isVerbose: verbose)
        if replay {
            for line in printer.lines(of: stories, again: decisions) { print(line) }
        } else {
            for line in printer.lines(of: stories) { print(line) }
            if stories.count == 1 {
                for rows in reported.rows(about: stories) {
                    for line in printer.lines(of: rows) { print(line) }
                }
            }
        }
    }

    /// What the daemons would decide about each message now.
    private func repeated(_ stories: [MessageStory]) throws -> [[RepeatedDecision]] {
        guard replay else { return stories.map { _ in [] } }
        let again = DecisionReplay(
            directory: records.directory, other: other, asksAgain: today)
        return try stories.map { try again.decisions($0.entries) }
    }

    private func sayNothing(_ what: String, _ reader: FlightReader) throws {
        var answer =
            "Nothing is known of \(LogText.safe(what)), neither by the daemons nor by Postfix's log."
        if !reader.unreadable.isEmpty {
            answer +=
                " These records cannot be read, by this user or at all: "
                + "\(reader.unreadable.joined(separator: ", "))."
        }
        print(json ? try JSONOutput.text(of: StoryJSON(nothing: answer)) : answer)
        throw ArgumentParser.ExitCode(1)
    }

    /// Lists what did not go on.
    private func list(_ reader: FlightReader, _ since: Int64) throws {
        let ends = [FlightVerdict.refused, .deferred, .discarded, .held].map(\.rawValue)
        let entries = reader.entries(
            having: .verdict, in: ends, FlightScope(since: since), limit: 10_000)
        if json {
            print(try JSONOutput.list(of: entries.map { StoryJSON(MessageStory(of: $0)) }))
        } else {
            for entry in entries {
                for line in Self.lines(entry, .standardOutput) { print(line) }
            }
        }
        if entries.isEmpty { throw ArgumentParser.ExitCode(1) }
    }

    /// An entry, in a line where there is room: when, which message, whose, and what was done.
    static func lines(_ entry: FlightEntry, _ terminal: Terminal) -> [String] {
        let envelope = [entry[.sender], entry[.recipient]].compactMap(\.self).joined(
            separator: " to ")
        let parts = [
            entry[.queueID] ?? "NOQUEUE", entry[.clientAddress] ?? "", envelope,
            EntrySentence.text(of: entry),
        ]
        let text = LogText.safe(parts.filter { !$0.isEmpty }.joined(separator: "  "), limit: 2_000)
        return terminal.wrapped(text, label: TimeArgument.text(entry.time), labelWidth: 25)
    }
}
