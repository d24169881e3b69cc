internal import ReportStore
internal import Reports

/// What the reports show, as text for people.
package struct InsightText {
    private let insight: Insight
    private let width: Int?

    /// How many groups of a domain are listed.
    private static let groupLimit = 40

    /// Text for a terminal so wide; nil for one that does not wrap.
    package init(_ insight: Insight, width: Int?) {
        self.insight = insight
        self.width = width
    }

    /// All of it, the answer first.
    ///
    /// - Parameter source: the address or the name of the one source that is wanted; nil for all.
    /// - Returns: lines.
    package func lines(source: String? = nil) -> [String] {
        guard !insight.domains.isEmpty || !insight.sessions.isEmpty || !insight.failures.isEmpty
        else { return ["No reports about these days."] + keptAsideLines() }
        var lines: [String] = []
        for domain in insight.domains {
            if !lines.isEmpty { lines.append("") }
            lines += wrapped(Self.answer(domain))
            if let source {
                lines += sourceLines(domain, source)
            } else {
                lines += groupLines(domain)
            }
        }
        if source == nil {
            lines += sessionLines()
            lines += failureLines()
            let kept = keptAsideLines()
            if !kept.isEmpty { lines += [""] + kept }
        }
        return lines
    }

    /// The answer about a domain, in one sentence.
    package static func answer(_ domain: DomainInsight) -> String {
        let total = domain.total
        var text =
            "\(domain.domain): \(Percent.text(total.passed, of: total.messages)) of"
            + " \(Percent.number(total.messages)) messages passed"
        let ours = domain.groups.filter { $0.legitimate.messages > 0 }.count
        if ours > 0 {
            text +=
                "; \(ours) source\(ours == 1 ? " fails" : "s fail") that look\(ours == 1 ? "s" : "") like yours"
        } else if total.failed > 0 {
            text += "; nothing that failed looks like yours"
        }
        let policy = domain.policy.isEmpty ? "" : ", p=\(domain.policy)"
        return text
            + " (\(domain.reports) report\(domain.reports == 1 ? "" : "s") of"
            + " \(domain.reporters.count) reporter\(domain.reporters.count == 1 ? "" : "s")\(policy))."
    }

    private func groupLines(_ domain: DomainInsight) -> [String] {
        var table = TextTable([
            .init(title: "SOURCE", isNumber: false), .init(title: "KIND", isNumber: false),
            .init(title: "MESSAGES"), .init(title: "BOTH", needs: 90),
            .init(title: "ONE", needs: 90), .init(title: "NONE"), .init(title: "SPF", needs: 100),
            .init(title: "DKIM", needs: 100), .init(title: "FIRST", needs: 120),
            .init(title: "LAST", needs: 76), .init(title: "TREND", isNumber: false, needs: 110),
        ])
        let groups = domain.groups
        for group in groups.prefix(Self.groupLimit) {
            table.add([
                Self.title(group), group.kind.words, Percent.number(group.messages),
                Percent.number(group.fullyAligned), Percent.number(group.partlyAligned),
                Percent.number(group.failed), Percent.text(group.spfAligned, of: group.messages),
                Percent.text(group.dkimAligned, of: group.messages), Self.day(group.first),
                Self.day(group.last), trend(group),
            ])
        }
        var lines = table.lines(width: width.map { $0 - 2 }).map { "  \($0)" }
        if groups.count > Self.groupLimit {
            lines.append("  and \(groups.count - Self.groupLimit) more sources")
        }
        for group in groups.prefix(Self.groupLimit) where group.legitimate.messages > 0 {
            let number = Percent.number(group.legitimate.messages)
            lines += wrapped(
                "  \(Self.title(group)): \(number) failed and look like yours: \(group.legitimate.why)."
            )
        }
        if let words = ClosedLoopWords(domain) {
            for sentence in words.sentences {
                lines += wrapped("  \(sentence).")
            }
        }
        let unverifiable = domain.total.unverifiable
        if unverifiable > 0, domain.loop?.unverifiable.isEmpty ?? true {
            lines += wrapped(
                "  Reporters could not verify one of two signatures of \(Percent.number(unverifiable)) messages that passed by the other: most cannot verify Ed25519. These do not count as failures."
            )
        }
        return lines
    }

    private func sourceLines(_ domain: DomainInsight, _ wanted: String) -> [String] {
        let found = domain.sources.filter {
            $0.address == wanted || $0.name.lowercased() == wanted.lowercased()
        }
        guard !found.isEmpty else { return ["  no source \(wanted)"] }
        var lines: [String] = []
        for source in found.prefix(100) {
            lines.append(
                "  \(source.address) (\(source.name), \(source.kind.words)), \(Self.day(source.first)) to \(Self.day(source.last))"
            )
            lines.append(
                "    \(Percent.number(source.messages)) messages: \(Percent.number(source.fullyAligned)) passed by SPF and DKIM, \(Percent.number(source.partlyAligned)) by one, \(Percent.number(source.failed)) failed, \(Percent.number(source.stopped)) were stopped"
            )
            if source.failed > 0 { lines.append("    \(source.legitimate.why)") }
        }
        return lines
    }

    private func sessionLines() -> [String] {
        guard !insight.sessions.isEmpty else { return [] }
        var lines = ["", "TLS sessions:"]
        for sessions in insight.sessions {
            let all = sessions.successful + sessions.failed
            lines += wrapped(
                "  \(sessions.domain) (\(sessions.type)): \(Percent.text(sessions.successful, of: all)) of \(Percent.number(all)) succeeded"
            )
            for failure in sessions.failures.prefix(10) {
                let host = failure.host.isEmpty ? "" : " at \(failure.host)"
                lines += wrapped(
                    "    \(Percent.number(failure.sessions)) failed: \(failure.type)\(host)")
            }
        }
        return lines
    }

    private func failureLines() -> [String] {
        guard !insight.failures.isEmpty else { return [] }
        var lines = ["", "Failure reports, the newest first:"]
        for (day, domain, failure) in insight.failures.prefix(10) {
            let source = failure.source.isEmpty ? "an unknown address" : failure.source
            lines += wrapped(
                "  \(Self.day(day)) \(domain): from \(source), \(failure.failure.isEmpty ? "failed" : failure.failure) \(failure.delivery)"
            )
        }
        return lines
    }

    private func keptAsideLines() -> [String] {
        KeptAsideCount(insight.refusals).map { wrapped($0.sentence) } ?? []
    }

    /// What a group is called.
    static func title(_ group: SourceInsight) -> String {
        group.address.hasSuffix(" addresses") ? "\(group.name) (\(group.address))" : group.name
    }

    static func day(_ number: Int64) -> String {
        number == .max || number == 0 ? "" : "\(CalendarDay(number: number))"
    }

    /// Whether a source is new, or sends more or less a day than before.
    func trend(_ group: SourceInsight) -> String {
        let middle = insight.newest - insight.recentDays + 1
        guard middle > insight.begin else { return "" }
        if group.first >= middle { return "new" }
        if group.last < middle { return "ended" }
        let before = Double(group.messages - group.recent) / Double(max(middle - group.first, 1))
        let now = Double(group.recent) / Double(insight.recentDays)
        if now > before * 1.5 { return "more" }
        return now < before / 2 ? "less" : "even"
    }

    private func wrapped(_ text: String) -> [String] {
        guard let width else { return [text] }
        let indent = String(text.prefix { $0 == " " })
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? (lines.isEmpty ? indent : indent + "  ") + word : " \(word)"
        }
        return lines + [line]
    }
}
