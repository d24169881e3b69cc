internal import MailSyntax
internal import ReportStore

/// Reads failure reports (RFC 9991, RFC 6591), also those that are text for people alone.
enum FeedbackReader {
    /// The report of a mail.
    ///
    /// - Parameters:
    ///   - leaves: the parts of the mail.
    ///   - hints: what its header says.
    ///   - isText: whether text for people alone is looked at, in place of the part for machines.
    /// - Returns: nil where the mail is no failure report.
    /// - Throws: why it cannot be read as the failure report that it is.
    static func report(
        _ leaves: [MIMELeaf], _ hints: ReportHints, fromText isText: Bool
    ) throws(ReportRefusal) -> ReceivedReport? {
        let machine = leaves.first {
            $0.type == "message/feedback-report"
                || $0.octets.prefix(14).asciiLowercased.elementsEqual("feedback-type:".utf8)
        }
        var notes = Notes()
        let fields: [String: String]
        if let machine, !isText {
            fields = Self.fields(machine.octets)
            let type = fields["feedback-type"]?.asciiLowercased ?? ""
            guard type == "auth-failure" else {
                throw ReportRefusal(
                    .failure, "Feedback-Type is \"\(type)\", and only auth-failure is about DMARC")
            }
        } else if isText, let found = text(leaves, hints) {
            fields = found
            notes.add("the part message/feedback-report is missing (RFC 6591, section 3)")
        } else {
            return nil
        }
        return try report(fields, original(leaves), hints, &notes)
    }

    private static func report(
        _ fields: [String: String], _ original: MIMEHeader?, _ hints: ReportHints,
        _ notes: inout Notes
    ) throws(ReportRefusal) -> ReceivedReport {
        var report = ReceivedReport(kind: .failure)
        var failure = ReceivedFailure()
        let author = domain(original?["from"] ?? "")
        failure.headerFrom = author
        failure.envelopeFrom = domain(fields["original-mail-from"] ?? "")
        failure.failure = word(fields["auth-failure"])
        failure.delivery = word(fields["delivery-result"])
        failure.results = PlainText.line(fields["authentication-results"] ?? "", atMost: 500)
        if failure.failure.isEmpty { notes.add("Auth-Failure is missing (RFC 6591, 3.1)") }
        if let text = fields["source-ip"] {
            let address = text.split(separator: " ").first.flatMap { IPAddress($0) }
            failure.source = address?.unmapped.description ?? ""
            if address == nil { notes.add("Source-IP \"\(text)\" is not an address") }
        } else {
            notes.add("Source-IP is missing")
        }
        let reported = domain(fields["reported-domain"] ?? "")
        if reported.isEmpty { notes.add("Reported-Domain is missing (RFC 6591, 3.1)") }
        let subject = reported.isEmpty ? (author.isEmpty ? hints.domain : author) : reported
        guard !subject.isEmpty else {
            var refusal = ReportRefusal(
                .failure, "neither Reported-Domain nor the message says which domain it is about")
            refusal.notes = notes.sentences
            throw refusal
        }
        if original == nil { notes.add("the message that it is about is not with it") }
        report.domain = subject
        report.reporterDomain = ReporterDomain.organization(of: hints.sender) ?? ""
        report.reporter =
            report.reporterDomain.isEmpty ? "(unnamed)" : report.reporterDomain
        report.id = hints.messageID
        let arrival = ReportTime.date(fields["arrival-date"] ?? fields["received-date"] ?? "")
        if arrival == nil { notes.add("Arrival-Date is missing or cannot be read") }
        report.begin = arrival ?? hints.date ?? 0
        report.end = report.begin
        let incidents = Int64(fields["incidents"] ?? "") ?? 1
        report.records = 1
        report.messages = (1...1_000_000).contains(incidents) ? incidents : 1
        report.failure = failure
        report.notes = notes.sentences
        return report
    }

    /// The fields of the machine-readable part (RFC 5965, section 3): the first of each name.
    private static func fields(_ octets: [UInt8]) -> [String: String] {
        let text = octets.drop { $0.isFoldingSpace }
        guard let (header, _) = MIMEHeader.read(text, atMost: 64 << 10) else { return [:] }
        return Dictionary(
            header.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
    }

    /// The header of the message that a report is about.
    private static func original(_ leaves: [MIMELeaf]) -> MIMEHeader? {
        let types = ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"]
        let leaf = leaves.first { types.contains($0.type) }
        return leaf.flatMap { MIMEHeader.read($0.octets[...], atMost: 256 << 10)?.header }
    }

    /// What a text for people says in lines such as "Sender IP Address: 192.0.2.1", as Exim on cPanel writes them, and in its Subject.
    private static func text(_ leaves: [MIMELeaf], _ hints: ReportHints) -> [String: String]? {
        guard let leaf = leaves.first(where: { $0.type == "text/plain" || $0.type.isEmpty })
        else { return nil }
        let text = String(decoding: leaf.octets.prefix(16 << 10), as: UTF8.self)
        let folded = text.lowercased()
        let isAbout =
            folded.contains("dmarc")
            && (folded.contains("failure report") || folded.contains("has failed")
                || folded.contains("authentication-failure")
                || hints.subject.lowercased().contains("failure report"))
        guard isAbout else { return nil }
        var found: [String: String] = [:]
        let names = [
            "sender domain": "reported-domain", "sender ip address": "source-ip",
            "received date": "arrival-date", "domain": "reported-domain",
            "source ip": "source-ip", "dmarc results": "authentication-results",
        ]
        for line in text.split(whereSeparator: \.isNewline).prefix(200) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = PlainText.line(line[..<colon], atMost: 80).lowercased()
            let value = PlainText.line(line[line.index(after: colon)...], atMost: 255)
            if let field = names[name], found[field] == nil { found[field] = value }
        }
        if found["source-ip"] == nil {
            let words = text.split(whereSeparator: { " \r\n\t,;()[]".contains($0) }).prefix(2000)
            found["source-ip"] = words.first { IPAddress($0) != nil }.map(String.init)
        }
        return found["source-ip"] == nil && found["reported-domain"] == nil ? nil : found
    }

    /// The domain of a text that is an address, a field with one, or a domain.
    private static func domain(_ text: String) -> String {
        var address = text[...]
        if let open = text.lastIndex(of: "<") {
            address = text[text.index(after: open)...].prefix { $0 != ">" }
        }
        let host = address.split(separator: "@").last ?? ""
        let trimmed = PlainText.line(host.prefix { $0 != ">" && $0 != " " }, atMost: 255)
        guard let name = try? DomainName(trimmed), name.isHostName else { return "" }
        return name.ascii
    }

    private static func word(_ text: String?) -> String {
        PlainText.line(text ?? "", atMost: 64).lowercased()
    }
}
