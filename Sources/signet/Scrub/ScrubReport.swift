import DaemonKit
import HeaderScrub
import MailSyntax

/// What becomes of a message, as a person reads it: the verdict, then every field with its sign.
///
/// Trust: the message is anyone's; what a terminal could obey is shown as "?".
struct ScrubReport {
    private let plan: ScrubPlan
    private let listing: ScrubListing

    /// Describes a plan for the header section that it was made for.
    init(_ plan: ScrubPlan, of header: HeaderSection) {
        self.plan = plan
        listing = ScrubListing(plan, of: header)
    }

    /// The text.
    ///
    /// - Parameters:
    ///   - terminal: what it is written to.
    ///   - isRaw: whether fields are shown folded as they stand; otherwise each is one line, wrapped for the terminal.
    /// - Returns: the lines, without the last line feed.
    func text(for terminal: Terminal, isRaw: Bool) -> String {
        var lines = verdict(terminal) + [""]
        for line in listing.lines {
            let shown =
                isRaw
                ? line.text.split(separator: "\n", omittingEmptySubsequences: false).map(
                    String.init)
                : terminal.wrapped(
                    Self.unfolded(line.field), label: "\(line.mark.rawValue) ", labelWidth: 2,
                    hanging: 4)
            lines += shown.map { Self.coloured($0, line.mark, terminal) }
        }
        return lines.joined(separator: "\n")
    }

    /// The first line, such as `✔ 2 fields removed, 1 replaced`.
    private func verdict(_ terminal: Terminal) -> [String] {
        guard !plan.isLoop else {
            return terminal.verdict(
                "✘ refused: the message has made \(plan.hops) hops, too many", .red)
        }
        var replaced = plan.ownReceived == nil ? 0 : 1
        var removed = 0
        for (_, change) in plan.changes {
            switch change {
            case .remove: removed += 1
            case .rewrite: replaced += 1
            }
        }
        var parts: [String] = []
        if removed > 0 { parts.append("\(removed) \(removed == 1 ? "field" : "fields") removed") }
        if replaced > 0 {
            let noun = parts.isEmpty ? (replaced == 1 ? " field" : " fields") : ""
            parts.append("\(replaced)\(noun) replaced")
        }
        if parts.isEmpty { parts = ["nothing changed"] }
        guard !plan.spared.isEmpty else {
            return terminal.verdict("✔ \(parts.joined(separator: ", "))", .green)
        }
        let signatures = plan.spared.map { LogText.safe($0.signature) }.reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let shown = signatures.prefix(2).joined(separator: ", ")
        parts.append(
            "\(plan.spared.count) kept because a signature covers "
                + "\(plan.spared.count == 1 ? "it" : "them") (\(shown)\(signatures.count > 2 ? ", …" : ""))"
        )
        return terminal.verdict("! \(parts.joined(separator: ", "))", .yellow)
    }

    /// A field on one line.
    private static func unfolded(_ field: String) -> String {
        field.split(separator: "\n").enumerated()
            .map { $0.offset == 0 ? $0.element : $0.element.drop { $0 == " " || $0 == "\t" } }
            .joined(separator: " ")
    }

    private static func coloured(
        _ line: String, _ mark: ScrubListing.Mark, _ terminal: Terminal
    ) -> String {
        switch mark {
        case .same: line
        case .old: terminal.coloured(line, .red)
        case .new: terminal.coloured(line, .green)
        case .spared: terminal.coloured(line, .yellow)
        }
    }
}
