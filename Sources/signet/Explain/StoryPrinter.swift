import DaemonKit
import Explanation
import FlightRecord

/// Stories for people: the answer first, then the time line.
struct StoryPrinter {
    let terminal: Terminal
    let isVerbose: Bool

    /// The longest line of a log that is shown, in octets.
    private static let limit = 2_000
    /// The most messages that are shown at once.
    private static let most = 50

    /// The lines about the messages that were found.
    func lines(of stories: [MessageStory]) -> [String] {
        if let only = stories.first, stories.count == 1 { return lines(of: only) }
        let shown = stories.suffix(Self.most)
        var lines = ["\(stories.count) messages; the newest last:"]
        for story in shown {
            let name = story.queueIDs.first ?? "NOQUEUE"
            lines.append("")
            lines +=
                isVerbose
                ? self.lines(of: story)
                : terminal.wrapped(
                    safe("\(TimeArgument.text(story.time)) \(name): \(story.answer)"), label: "",
                    labelWidth: 0)
        }
        return lines
    }

    /// The lines about decisions that were taken again, after the sentence about each message.
    func lines(of stories: [MessageStory], again decisions: [[RepeatedDecision]]) -> [String] {
        var lines: [String] = []
        for (story, decisions) in zip(stories, decisions) {
            if !lines.isEmpty { lines.append("") }
            lines += terminal.wrapped(safe(story.answer), label: "", labelWidth: 0)
            if decisions.isEmpty {
                lines.append("No daemon has a record of it, so nothing can be evaluated again.")
            }
            for decision in decisions { lines += [""] + self.lines(of: decision) }
        }
        return lines
    }

    /// The lines about what receivers have reported of the same domain and day.
    func lines(of reports: [ReportedMail]) -> [String] {
        guard !reports.isEmpty else { return [] }
        return ["", "Receivers have reported about mail of this domain and day:"]
            + reports.flatMap { report in
                terminal.wrapped(safe(report.line), label: "  ", labelWidth: 2, hanging: 2)
            }
    }

    private func lines(of decision: RepeatedDecision) -> [String] {
        var rows = [
            ("then", decision.sentenceThen), ("now", decision.sentenceNow),
        ]
        rows += decision.reasons.map { ("why", $0) }
        rows += decision.unknown.map { ("not known", "\($0).") }
        let head = "\(decision.then.daemon.name) under \(decision.configuration):"
        return terminal.wrapped(safe(head), label: "", labelWidth: 0)
            + rows.flatMap { label, text in
                terminal.wrapped(safe(text), label: "  \(label)", labelWidth: 13)
            }
    }

    private func lines(of story: MessageStory) -> [String] {
        var lines = terminal.wrapped(safe(story.answer), label: "", labelWidth: 0)
        lines.append("")
        let facts: [(String, String?)] = [
            (
                "queue id",
                story.queueIDs.isEmpty ? nil : story.queueIDs.joined(separator: ", then ")
            ),
            ("Message-ID", story.messageID), ("envelope from", story.sender),
            ("From", story.authors.isEmpty ? nil : story.authors.joined(separator: ", ")),
            ("client", story.client),
        ]
        for (label, text) in facts {
            guard let text else { continue }
            lines += terminal.wrapped(safe(text), label: "  \(label)", labelWidth: 18)
        }
        lines.append("")
        // The log's tag of a line is as foreign as its text.
        let programs = story.events.map { LogText.safe($0.program) }
        let width = (programs.map(\.count).max() ?? 0) + 27
        for (event, program) in zip(story.events, programs) {
            let label = "  \(TimeArgument.text(event.time).dropFirst(11))  \(program)"
            lines += terminal.wrapped(safe(event.what), label: label, labelWidth: width - 9)
            guard isVerbose else { continue }
            for detail in event.details {
                lines += terminal.wrapped(
                    safe(detail), label: String(repeating: " ", count: 16) + "- ",
                    labelWidth: 18)
            }
        }
        return lines
    }

    private func safe(_ text: String) -> String { LogText.safe(text, limit: Self.limit) }
}
