internal import ReportStore
internal import Reports

/// What the reports show, as one HTML page that needs nothing from elsewhere and runs no script.
///
/// Every text from a report is escaped by `HTMLText`.
package struct InsightPage {
    private let insight: Insight
    private let isMail: Bool

    /// How much of each there is at most.
    private static let (domains, groups, addresses, reporters, notes) = (200, 200, 50, 50, 20)

    /// A page; one for a mail has no charts.
    package init(_ insight: Insight, isMail: Bool = false) {
        self.insight = insight
        self.isMail = isMail
    }

    /// The page.
    package func html() -> String {
        var html = HTMLText()
        html.add(markup: "<!DOCTYPE html>\n")
        html.element("html", [("lang", "en")]) { html in
            html.element("head") { html in
                html.add(
                    markup: """
                        <meta charset="utf-8">
                        <meta name="viewport" content="width=device-width, initial-scale=1">
                        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
                        <meta name="referrer" content="no-referrer">
                        <title>Mail authentication reports</title>

                        """)
                html.add(markup: InsightStyle.sheet)
            }
            html.element("body") { html in
                html.element("main") { html in body(&html) }
            }
        }
        return html.text
    }

    private func body(_ html: inout HTMLText) {
        html.element("h1", "Mail authentication reports")
        html.element(
            "p", [("class", "soft")],
            "\(CalendarDay(number: insight.begin)) to \(CalendarDay(number: insight.today)), days in UTC. What others report about mail in the name of these domains."
        )
        let domains = insight.domains.prefix(Self.domains)
        if domains.isEmpty { html.element("p", "No DMARC reports about these days.") }
        if !domains.isEmpty { overview(&html, Array(domains)) }
        for (number, domain) in domains.enumerated() { section(&html, domain, number) }
        sessions(&html)
        failures(&html)
        refusals(&html)
    }

    private func overview(_ html: inout HTMLText, _ domains: [DomainInsight]) {
        table(&html, "Domains", ["Domain", "Messages", "Passed", "Failed", "Policy", "Reports"]) {
            html in
            for (number, domain) in domains.enumerated() {
                let total = domain.total
                html.element("tr") { html in
                    html.element("th", [("scope", "row")]) { html in
                        html.element("a", [("href", "#d\(number)")], domain.domain)
                    }
                    cell(&html, Percent.number(total.messages))
                    cell(
                        &html, Percent.text(total.passed, of: total.messages),
                        Self.colour(total.passed, of: total.messages))
                    cell(&html, Percent.number(total.failed), total.failed > 0 ? "fail" : "")
                    cell(&html, domain.policy.isEmpty ? "–" : domain.policy, isNumber: false)
                    cell(&html, "\(domain.reports)")
                }
            }
        }
    }

    private func section(_ html: inout HTMLText, _ domain: DomainInsight, _ number: Int) {
        html.element("section", [("aria-labelledby", "d\(number)")]) { html in
            html.element("h2", [("id", "d\(number)")], domain.domain)
            html.element("p", InsightText.answer(domain))
            if domain.total.unverifiable > 0, domain.loop?.unverifiable.isEmpty ?? true {
                html.element(
                    "p", [("class", "soft")],
                    "For \(Percent.number(domain.total.unverifiable)) messages that passed, reporters could not verify a second signature: most cannot verify Ed25519. That is no failure."
                )
            }
            if !isMail { chart(&html, domain) }
            groups(&html, domain)
            loop(&html, domain)
            reporters(&html, domain)
            notes(&html, domain)
        }
    }

    private func chart(_ html: inout HTMLText, _ domain: DomainInsight) {
        let chart = InsightChart(domain.days)
        guard !chart.bars.isEmpty else { return }
        html.element("h3", "Messages over time")
        chart.draw(&html, title: "Messages about \(domain.domain) over time, passed and failed")
        html.element("p", [("class", "soft")]) { html in
            html.add(markup: "<span class=\"key pass\"></span>passed, above ")
            html.add(markup: "<span class=\"key fail\"></span>failed, below")
        }
        html.element("details") { html in
            html.element("summary", "The numbers of this chart")
            table(&html, "Messages by day", ["Days", "Messages", "Passed", "Failed"]) { html in
                for bar in chart.bars where bar.messages > 0 {
                    let (first, last) = (InsightText.day(bar.first), InsightText.day(bar.last))
                    html.element("tr") { html in
                        html.element(
                            "th", [("scope", "row")], first == last ? first : "\(first) – \(last)")
                        cell(&html, Percent.number(bar.messages))
                        cell(&html, Percent.number(bar.passed))
                        cell(&html, Percent.number(bar.messages - bar.passed))
                    }
                }
            }
        }
    }

    private func groups(_ html: inout HTMLText, _ domain: DomainInsight) {
        let groups = domain.groups
        let members = Dictionary(grouping: domain.sources, by: DomainInsight.groupKey)
        html.element("h3", "Sources")
        table(
            &html,
            "Sources, the worst first: messages that passed by SPF and DKIM, by one, by none",
            ["Source", "Kind", "Messages", "Both", "One", "None", "First", "Last", "Trend"],
            more: [1, 3, 4, 6, 7]
        ) { html in
            for group in groups.prefix(Self.groups) {
                html.element("tr") { html in
                    html.element("th", [("scope", "row")], InsightText.title(group))
                    cell(&html, group.kind.words, "more", isNumber: false)
                    cell(&html, Percent.number(group.messages))
                    cell(&html, Percent.number(group.fullyAligned), "more")
                    cell(&html, Percent.number(group.partlyAligned), "more")
                    cell(&html, Percent.number(group.failed), group.failed > 0 ? "fail" : "")
                    cell(&html, InsightText.day(group.first), "more")
                    cell(&html, InsightText.day(group.last), "more")
                    cell(&html, InsightText(insight, width: nil).trend(group), isNumber: false)
                }
            }
        }
        if groups.count > Self.groups {
            html.element("p", "And \(groups.count - Self.groups) more sources.")
        }
        for group in groups.prefix(Self.groups) where group.failed > 0 {
            html.element("details") { html in
                html.element("summary") { html in
                    html.element("strong", InsightText.title(group))
                    let (ours, why) = group.legitimate
                    let failed = Percent.number(group.failed)
                    html.add(
                        ours > 0
                            ? "\(failed) failed, \(Percent.number(ours)) look like yours: \(why)"
                            : "\(failed) failed: \(why)")
                }
                addresses(&html, members[group.key] ?? [])
            }
        }
    }

    private func addresses(_ html: inout HTMLText, _ sources: [SourceInsight]) {
        table(
            &html, "Addresses",
            ["Address", "Messages", "SPF", "DKIM", "Failed", "Stopped", "Last"],
            more: [6]
        ) { html in
            for source in sources.prefix(Self.addresses) {
                html.element("tr") { html in
                    html.element("th", [("scope", "row")], source.address)
                    cell(&html, Percent.number(source.messages))
                    cell(&html, Percent.text(source.spfAligned, of: source.messages))
                    cell(&html, Percent.text(source.dkimAligned, of: source.messages))
                    cell(&html, Percent.number(source.failed))
                    cell(&html, Percent.number(source.stopped))
                    cell(&html, InsightText.day(source.last), "more")
                }
            }
        }
        if sources.count > Self.addresses {
            html.element("p", "And \(sources.count - Self.addresses) more addresses.")
        }
    }

    /// What was signed here, and what became of it.
    private func loop(_ html: inout HTMLText, _ domain: DomainInsight) {
        guard let words = ClosedLoopWords(domain) else { return }
        html.element("h3", "Signed here")
        html.element("ul") { html in
            for sentence in words.sentences { html.element("li", sentence) }
        }
    }

    private func reporters(_ html: inout HTMLText, _ domain: DomainInsight) {
        let sorted = domain.reporters.sorted {
            ($0.value.messages, $1.key) > ($1.value.messages, $0.key)
        }
        html.element("details") { html in
            html.element("summary", "Reporters: \(sorted.count)")
            table(&html, "Who reports", ["Reporter", "Messages", "Passed"]) { html in
                for (name, numbers) in sorted.prefix(Self.reporters) {
                    html.element("tr") { html in
                        html.element("th", [("scope", "row")], name)
                        cell(&html, Percent.number(numbers.messages))
                        cell(&html, Percent.text(numbers.passed, of: numbers.messages))
                    }
                }
            }
        }
    }

    private func notes(_ html: inout HTMLText, _ domain: DomainInsight) {
        let sorted = domain.notes.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        guard !sorted.isEmpty else { return }
        html.element("details") { html in
            html.element("summary", "What is wrong with the reports: \(sorted.count) notes")
            html.element("ul") { html in
                for (note, count) in sorted.prefix(Self.notes) {
                    html.element("li", count > 1 ? "\(note) (\(count) reports)" : note)
                }
            }
        }
    }

    private func sessions(_ html: inout HTMLText) {
        guard !insight.sessions.isEmpty else { return }
        html.element("h2", "TLS sessions of others with our servers")
        table(
            &html, "By domain and policy",
            ["Domain", "Policy", "Sessions", "Succeeded", "Failures"]
        ) { html in
            for sessions in insight.sessions.prefix(Self.groups) {
                let all = sessions.successful &+ sessions.failed
                html.element("tr") { html in
                    html.element("th", [("scope", "row")], sessions.domain)
                    cell(&html, sessions.type, isNumber: false)
                    cell(&html, Percent.number(all))
                    cell(
                        &html, Percent.text(sessions.successful, of: all),
                        Self.colour(sessions.successful, of: all))
                    cell(
                        &html,
                        sessions.failures.prefix(5).map {
                            "\(Percent.number($0.sessions)) \($0.type)\($0.host.isEmpty ? "" : " at \($0.host)")"
                        }.joined(separator: "; "), isNumber: false)
                }
            }
        }
    }

    private func failures(_ html: inout HTMLText) {
        guard !insight.failures.isEmpty else { return }
        html.element("h2", "Failure reports")
        table(
            &html, "Single messages that failed, the newest first",
            ["Day", "Domain", "Source", "Failed", "Result"], more: [4]
        ) { html in
            for (day, domain, failure) in insight.failures.prefix(Self.reporters) {
                html.element("tr") { html in
                    html.element("th", [("scope", "row")], InsightText.day(day))
                    cell(&html, domain, isNumber: false)
                    cell(&html, failure.source, isNumber: false)
                    cell(&html, failure.failure, isNumber: false)
                    cell(&html, failure.delivery, "more", isNumber: false)
                }
            }
        }
    }

    private func refusals(_ html: inout HTMLText) {
        guard let count = KeptAsideCount(insight.refusals) else { return }
        html.element("h2", "Kept aside")
        html.element("p", count.sentence)
        html.element("ul") { html in
            for refusal in insight.refusals.prefix(Self.notes) {
                let day = InsightText.day(refusal.received / 86_400)
                let who = refusal.reporter.isEmpty ? "" : " of \(refusal.reporter)"
                html.element("li", "\(day), a report\(who): \(refusal.reason) (\(refusal.kept))")
            }
        }
        if insight.refusals.count > Self.notes {
            html.element("p", "And \(insight.refusals.count - Self.notes) more.")
        }
    }

    private func table(
        _ html: inout HTMLText, _ caption: String, _ titles: [String], more: Set<Int> = [],
        _ body: (inout HTMLText) -> Void
    ) {
        html.element(
            "div",
            [("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)]
        ) { html in
            html.element("table") { html in
                html.element("caption", caption)
                html.element("thead") { html in
                    html.element("tr") { html in
                        for (place, title) in titles.enumerated() {
                            let words = ["Kind", "Policy", "Failures", "Trend", "Domain", "Source"]
                            let isText = place == 0 || words.contains(title)
                            let names = [isText ? "" : "n", more.contains(place) ? "more" : ""]
                            html.element(
                                "th",
                                [
                                    ("scope", "col"),
                                    ("class", names.filter { !$0.isEmpty }.joined(separator: " ")),
                                ], title)
                        }
                    }
                }
                html.element("tbody") { html in body(&html) }
            }
        }
    }

    /// The colour of a share: good from 98 of a hundred on, bad below 90.
    private static func colour(_ part: Int64, of whole: Int64) -> String {
        let share = whole > 0 ? Double(part) / Double(whole) : 1
        return share >= 0.98 ? "pass" : share >= 0.9 ? "some" : "fail"
    }

    private func cell(
        _ html: inout HTMLText, _ text: String, _ name: String = "", isNumber: Bool = true
    ) {
        let names = [isNumber ? "n" : "", name].filter { !$0.isEmpty }.joined(separator: " ")
        html.element("td", [("class", names)], text)
    }
}
