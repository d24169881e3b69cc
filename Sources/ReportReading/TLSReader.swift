internal import MailSyntax
internal import ReportStore

/// Reads SMTP TLS reports (RFC 8460, section 4.4).
enum TLSReader {
    /// How many policies a report may have.
    private static let limit = 1000
    /// How many failures all of them may have.
    private static let failureLimit = 10_000
    /// The result types of section 4.3.
    private static let types: Set<String> = [
        "starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
        "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
        "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid",
    ]

    /// The report of a JSON text.
    static func report(
        _ octets: ArraySlice<UInt8>, _ hints: ReportHints
    ) throws(ReportRefusal) -> ReceivedReport {
        var text = octets
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        let root = try JSONDocument(text).value
        guard root.isObject, root["policies"] != nil || root["report-id"] != nil else {
            throw ReportRefusal(.tls, "the JSON has no \"policies\": it is no SMTP TLS report")
        }
        var report = ReceivedReport(kind: .tls)
        var notes = Notes()
        report.reporter = line(root["organization-name"])
        let contact = line(root["contact-info"])
        report.reporterDomain =
            ReporterDomain.organization(of: contact)
            ?? ReporterDomain.organization(of: report.reporter)
            ?? ReporterDomain.organization(of: hints.sender) ?? report.reporter.lowercased()
        if report.reporter.isEmpty {
            notes.add("organization-name is missing")
            report.reporter = report.reporterDomain.isEmpty ? "(unnamed)" : report.reporterDomain
        }
        report.id = line(root["report-id"])
        if report.id.isEmpty { notes.add("report-id is missing") }
        let policies = root["policies"]?.elements(atMost: limit) ?? []
        var room = failureLimit
        report.sessions = policies.map { sessions($0, &room, &notes) }
        report.domain = report.sessions.first { !$0.domain.isEmpty }?.domain ?? hints.domain
        func refused(_ reason: String) -> ReportRefusal {
            var refusal = ReportRefusal(.tls, reason)
            refusal.reporter = report.reporter
            refusal.id = report.id
            refusal.domain = report.domain
            refusal.notes = notes.sentences
            return refusal
        }
        guard !report.domain.isEmpty else {
            throw refused("no policy-domain says which domain the report is about")
        }
        let range = root["date-range"]
        guard let begin = ReportTime.timestamp(line(range?["start-datetime"])),
            let end = ReportTime.timestamp(line(range?["end-datetime"]))
        else { throw refused("date-range does not say when the period begins and ends") }
        if end < begin { notes.add("the period ends before it begins") }
        report.begin = begin
        report.end = max(begin, end)
        report.records = report.sessions.count
        report.messages = report.sessions.reduce(0) { $0 + $1.successful + $1.failed }
        guard report.messages <= ReadingLimits.greatestCount else {
            throw refused("its policies count more sessions than there are")
        }
        report.notes = notes.sentences
        return report
    }

    private static func sessions(
        _ value: JSONDocument.Value, _ room: inout Int, _ notes: inout Notes
    ) -> ReceivedSessions {
        var sessions = ReceivedSessions()
        let policy = value["policy"]
        sessions.domain = domain(policy?["policy-domain"])
        if sessions.domain.isEmpty { notes.add("policy-domain is missing or no domain") }
        sessions.type = line(policy?["policy-type"]).lowercased()
        if !["tlsa", "sts", "no-policy-found"].contains(sessions.type) {
            notes.add("policy-type is \"\(sessions.type)\"")
        }
        let summary = value["summary"]
        sessions.successful = count(summary?["total-successful-session-count"], &notes)
        sessions.failed = count(summary?["total-failure-session-count"], &notes)
        let failures = value["failure-details"]?.elements(atMost: room + 1) ?? []
        let isWhole = failures.count <= room
        if !isWhole {
            notes.add("it has more than \(failureLimit) failure-details: the rest is left out")
        }
        let kept = failures.prefix(room)
        room -= kept.count
        for failure in kept {
            let type = line(failure["result-type"]).lowercased()
            if !types.contains(type) { notes.add("result-type is \"\(type)\"") }
            sessions.failures.append(
                ReceivedSessions.Failure(
                    type: type, host: line(failure["receiving-mx-hostname"]),
                    source: line(failure["sending-mta-ip"]),
                    sessions: count(failure["failed-session-count"], &notes),
                    reason: line(failure["failure-reason-code"])))
        }
        let detailed = sessions.failures.reduce(0) { $0 + $1.sessions }
        if isWhole, !sessions.failures.isEmpty, detailed != sessions.failed {
            notes.add(
                "failure-details count \(detailed) sessions, and the summary \(sessions.failed)")
        }
        return sessions
    }

    private static func count(_ value: JSONDocument.Value?, _ notes: inout Notes) -> Int64 {
        guard let count = value?.integer, 0...ReadingLimits.greatestCount ~= count else {
            notes.add("a session count is missing or no number")
            return 0
        }
        return count
    }

    private static func domain(_ value: JSONDocument.Value?) -> String {
        guard let name = try? DomainName(line(value)), name.isHostName else { return "" }
        return name.ascii
    }

    private static func line(_ value: JSONDocument.Value?) -> String {
        PlainText.line(value?.text ?? "", atMost: 255)
    }
}
