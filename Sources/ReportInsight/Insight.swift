package import ReportStore
package import SigningLog

/// What the store of received reports shows about a span of time.
package struct Insight: Sendable {
    /// The domains, most messages first.
    package var domains: [DomainInsight] = []
    /// The TLS sessions, by domain and policy type.
    package var sessions: [ReceivedSessions] = []
    /// The newest failure reports.
    package var failures: [(day: Int64, domain: String, failure: ReceivedFailure)] = []
    /// What is kept aside, the newest first; with the domain that is wanted, what may be about it.
    package var refusals: [ReceivedRefusal] = []
    /// The first day that is looked at; the first day of a report where all are.
    package var begin: Int64 = 0
    /// The day of today.
    package var today: Int64
    /// The last day that a report is about.
    package var newest: Int64 = 0
    /// How many days up to the newest are recent.
    package var recentDays: Int64 = 1

    /// How many addresses of a domain are kept apart.
    private static let sourceLimit = 3000
    /// How many different notes of a domain are counted.
    private static let noteLimit = 200
    /// How many domains are looked at.
    private static let domainLimit = 2000

    /// Reads the store.
    ///
    /// - Parameters:
    ///   - store: the store.
    ///   - since: the first day; nil for all.
    ///   - today: the day of today.
    ///   - only: the domain that is wanted; nil for all.
    ///   - ledger: what was signed here; nil where nobody knows.
    /// - Throws: why the store cannot be read.
    package init(
        of store: ReceivedReportStore, since: Int64?, today: Int64, only: String? = nil,
        signed ledger: SigningLedger? = nil
    ) throws(SinkError) {
        self.today = today
        var found: [String: DomainInsight] = [:]
        var (first, last): (Int64?, Int64) = (nil, 0)
        try store.reports(since: since ?? 0) { stored in
            let report = stored.report
            guard report.kind == .aggregate, only == nil || only == report.domain,
                found[report.domain] != nil || found.count < Self.domainLimit
            else { return }
            first = min(first ?? report.day, report.day)
            last = max(last, report.day)
            var domain = found[report.domain] ?? DomainInsight(domain: report.domain)
            domain.reports += 1
            domain.days[report.day, default: .init()].messages &+= report.messages
            domain.days[report.day, default: .init()].passed &+= stored.passed
            domain.reporters[report.reporterDomain, default: .init()].messages &+= report.messages
            domain.reporters[report.reporterDomain, default: .init()].passed &+= stored.passed
            if !report.policy.p.isEmpty { domain.policy = report.policy.p }
            for note in report.notes
            where domain.notes[note] != nil || domain.notes.count < Self.noteLimit {
                domain.notes[note, default: 0] += 1
            }
            found[report.domain] = domain
        }
        begin = since ?? first ?? today
        // The last two weeks, or the last half of less than four.
        recentDays = max(1, min(14, (max(last, begin) - begin + 1) / 2))
        let middle = max(last, begin) - recentDays + 1
        newest = max(last, begin)
        let verdicts = try store.allVerdicts()
        let signatures = ledger.map { OwnSignatures($0, verdicts.values) }
        try readSources(store, since: since ?? 0, middle: middle, verdicts, signatures, &found)
        if let ledger { try closeLoop(store, ledger, verdicts, &found) }
        domains = found.values.sorted {
            ($0.total.messages, $1.domain) > ($1.total.messages, $0.domain)
        }
        sessions = try store.sessions(since: since ?? 0).filter { only == nil || $0.domain == only }
        failures = try store.failures(since: since ?? 0, atMost: 200).filter {
            only == nil || $0.domain == only
        }
        refusals = try store.refusals(
            since: (since ?? 0) * 86_400, atMost: ReceivedReportStore.refusalLimit
        ).filter { only == nil || $0.domain == only || $0.domain.isEmpty }
    }

    private mutating func readSources(
        _ store: ReceivedReportStore, since: Int64, middle: Int64,
        _ verdicts: [Int64: ReceivedVerdict], _ signatures: OwnSignatures?,
        _ found: inout [String: DomainInsight]
    ) throws(SinkError) {
        var domain: DomainInsight?
        var source: SourceInsight?
        func finishSource() {
            guard source != nil else { return }
            source?.finish(InsightFacts(), domain: domain?.domain ?? "")
            if let source { domain?.add(source, limit: Self.sourceLimit) }
            source = nil
        }
        func finishDomain() {
            finishSource()
            domain?.fold(to: Self.sourceLimit)
            if let domain { found[domain.domain] = domain }
            domain = nil
        }
        try store.counts(since: since, middle: middle, verdicts) { count in
            guard found[count.domain] != nil else { return }
            if domain?.domain != count.domain {
                finishDomain()
                domain = found[count.domain]
            }
            if source?.address != count.source {
                finishSource()
                source = SourceInsight(address: count.source)
            }
            source?.add(count, signatures)
        }
        finishDomain()
    }
}

extension Insight {
    /// Compares what reports say with what was signed here.
    private func closeLoop(
        _ store: ReceivedReportStore, _ ledger: SigningLedger,
        _ verdicts: [Int64: ReceivedVerdict], _ found: inout [String: DomainInsight]
    ) throws(SinkError) {
        var loops = found.mapValues { ClosedLoop(ledger, domain: $0.domain, in: begin...newest) }
        // Rows of one domain come behind each other: it is taken out while it grows.
        var current: (domain: String, loop: ClosedLoop)?
        try store.rows(since: begin) { row in
            if current?.domain != row.domain {
                if let current { loops[current.domain] = current.loop }
                current = loops[row.domain].map { (row.domain, $0) }
            }
            guard current != nil, let verdict = verdicts[row.verdict] else { return }
            current?.loop.add(row, verdict, ledger)
        }
        if let current { loops[current.domain] = current.loop }
        // Of a domain that nothing was signed for nothing is known: somebody else signs its mail.
        for (domain, loop) in loops where loop.signed > 0 || loop.ours > 0 {
            found[domain]?.loop = loop
        }
    }

    /// The addresses that it is most worth to know the names of.
    package func addresses(atMost limit: Int) -> [String] {
        var seen: Set<String> = []
        var addresses: [String] = []
        for domain in domains {
            for source in domain.sources
            where !source.address.isEmpty && seen.insert(source.address).inserted {
                addresses.append(source.address)
                if addresses.count >= limit { return addresses }
            }
        }
        return addresses
    }

    /// Names the sources by what is known about them.
    package mutating func apply(_ facts: InsightFacts) {
        for place in domains.indices {
            let domain = domains[place].domain
            for source in domains[place].sources.indices
            where !domains[place].sources[source].address.isEmpty {
                domains[place].sources[source].finish(facts, domain: domain)
            }
        }
    }
}

extension DomainInsight {
    /// Adds an address; the smallest are put together where there are very many.
    mutating func add(_ source: SourceInsight, limit: Int) {
        total.merge(source)
        sources.append(source)
        if sources.count >= 2 * limit { fold(to: limit) }
    }

    /// Sorts the addresses, and puts those beyond the limit together.
    mutating func fold(to limit: Int) {
        sources.sort {
            ($0.failed, $0.messages, $1.address) > ($1.failed, $1.messages, $0.address)
        }
        guard sources.count > limit else { return }
        var rest = sources.first { $0.address.isEmpty } ?? SourceInsight(address: "")
        rest.name = "(other addresses)"
        let beyond = sources[limit...].filter { !$0.address.isEmpty }
        for source in beyond { rest.merge(source) }
        sources = sources[..<limit].filter { !$0.address.isEmpty } + [rest]
    }
}
