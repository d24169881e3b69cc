internal import MailSyntax
internal import ReportStore

/// Makes a report of the elements of an aggregate report, in whatever order they come.
///
/// Elements are known by their names and by the nearest container that is known, so that those of newer formats do no harm.
final class AggregateBuilder {
    private let limits: ReadingLimits
    /// The open elements; nil for those that are not known.
    private var open: [AggregateElement?] = []
    private var octets: [UInt8] = []
    private var metadata: [AggregateElement: String] = [:]
    private var policy: [AggregateElement: String] = [:]
    private var record = AggregateRecord()
    private var isInRecord = false
    /// How many records were seen.
    private var seen = 0
    private var read = 0
    private var rows: RowCollector
    private(set) var notes = Notes()
    /// Why the report is refused; what comes after it is not looked at.
    private(set) var refusal: String?

    /// The longest text of an element, in octets.
    private static let textLimit = 2048
    /// How deep elements may be nested.
    private static let depth = 48

    init(_ limits: ReadingLimits) {
        self.limits = limits
        rows = RowCollector(limits)
    }

    /// Refuses the report.
    func refuse(_ reason: String) { if refusal == nil { refusal = reason } }

    /// Adds a note about the whole report.
    func note(_ text: String) { notes.add(text) }

    // MARK: Elements

    /// An element begins; nil is one that is not known.
    func begin(_ element: AggregateElement?) {
        guard open.count < Self.depth else {
            refuse("its elements are nested deeper than \(Self.depth)")
            return
        }
        if open.isEmpty, element != .feedback {
            refuse("its outermost element is not <feedback>")
            return
        }
        noteStrayText()
        octets.removeAll(keepingCapacity: true)
        open.append(element)
        switch element {
        case .record:
            record = AggregateRecord()
            isInRecord = true
            seen += 1
        case .dkim where container == .results:
            Self.add(AggregateResult(), to: &record.signatures, AggregateRecord.signatureLimit)
        case .spf where container == .results:
            Self.add(AggregateResult(), to: &record.spf, AggregateRecord.spfLimit)
        case .reason: Self.add(("", ""), to: &record.reasons, AggregateRecord.reasonLimit)
        default: break
        }
    }

    /// Adds an item to fill; beyond the limit, where nobody looks, one takes the place of the other.
    private static func add<Item>(_ item: Item, to items: inout [Item], _ limit: Int) {
        if items.count > limit { items.removeLast() }
        items.append(item)
    }

    /// Text of the element that is open; what is beyond the bound is not kept.
    func text(_ text: UnsafeRawBufferPointer) {
        let room = Self.textLimit - octets.count
        unsafe octets.append(contentsOf: text.prefix(max(room, 0)))
    }

    /// An element ends.
    func end(_ element: AggregateElement?) {
        guard refusal == nil else { return }
        if let element, element.isContainer { noteStrayText() }
        if element == .record { finishRecord() }
        if let element, !element.isContainer { take(element) }
        octets.removeAll(keepingCapacity: true)
        _ = open.popLast()
    }

    /// The nearest known element around the one that is open.
    private var container: AggregateElement? {
        open.dropLast().last { $0 != nil } ?? nil
    }

    private func noteStrayText() {
        guard !octets.isEmpty, let last = open.last, let element = last, element.isContainer,
            octets.contains(where: { !$0.isFoldingSpace })
        else { return }
        notes.add(
            "there is text between the elements of <\(element.rawValue)>: it is passed over",
            record: isInRecord ? seen : 0)
    }

    private func take(_ element: AggregateElement) {
        let text: String
        if octets.contains(where: { $0.isFoldingSpace || $0 >= 0x7F || $0 < 0x20 }) {
            text = PlainText.line(String(decoding: octets, as: UTF8.self), atMost: 512)
        } else {
            text = String(decoding: octets.prefix(512), as: UTF8.self)
        }
        switch container {
        case .metadata, .dateRange, .feedback: put(text, element, &metadata, "report_metadata")
        case .policy: put(text, element, &policy, "policy_published")
        case .row, .evaluated, .identifiers, .identities, .record:
            guard element != .dkim || container != .record else { return }
            if record.texts[element] != nil {
                notes.add("<\(element.rawValue)> is there twice: the first counts", record: seen)
            } else {
                record.texts[element] = text
            }
        case .reason where !record.reasons.isEmpty:
            if element == .type { record.reasons[record.reasons.count - 1].type = text }
            if element == .comment { record.reasons[record.reasons.count - 1].comment = text }
        case .dkim where !record.signatures.isEmpty:
            record.signatures[record.signatures.count - 1].texts[element] = text
        case .spf where !record.spf.isEmpty:
            record.spf[record.spf.count - 1].texts[element] = text
        default: break
        }
    }

    private func put(
        _ text: String, _ element: AggregateElement, _ texts: inout [AggregateElement: String],
        _ place: String
    ) {
        if element == .error {
            if !text.isEmpty { notes.add("the reporter says: \(text)") }
        } else if let first = texts[element] {
            // "fo" and its like may be there once; a second policy is another report's matter.
            if first != text {
                notes.add("<\(element.rawValue)> is in \(place) twice: the first counts")
            }
        } else {
            texts[element] = text
        }
    }

    private func finishRecord() {
        isInRecord = false
        guard seen <= limits.records else {
            refuse("it has more than \(limits.records) records")
            return
        }
        guard let (source, verdict, count) = record.row({ notes.add($0, record: seen) }) else {
            return
        }
        if let reason = rows.add(verdict, from: source, count) { refuse(reason) }
        read += 1
    }

    // MARK: The report

    /// The report, once the document has ended.
    ///
    /// - Parameter hints: what the mail and the file's name say.
    /// - Returns: the report.
    /// - Throws: why there is none.
    func finish(_ hints: ReportHints) throws(ReportRefusal) -> ReceivedReport {
        if let refusal { throw self.refused(refusal, hints) }
        var report = ReceivedReport(kind: .aggregate)
        readReporter(&report, hints)
        guard readDomain(&report, hints) else {
            throw refused("policy_published does not say which domain the report is about", hints)
        }
        guard readPeriod(&report, hints) else {
            throw refused(
                "date_range does not say when the period begins and ends, in seconds since 1970",
                hints)
        }
        readPolicy(&report)
        guard read > 0 || seen == 0 else {
            throw refused("none of its \(seen) records could be read", hints)
        }
        if seen == 0 {
            notes.add("there is no record, and a report has one at least (RFC 9990, 3.1.1.2)")
        }
        report.records = read
        report.messages = rows.messages
        report.verdicts = rows.verdicts
        report.counts = rows.counts()
        report.notes = notes.sentences
        return report
    }

    private func refused(_ reason: String, _ hints: ReportHints) -> ReportRefusal {
        var refusal = ReportRefusal(.aggregate, reason)
        refusal.reporter = metadata[.organization] ?? ""
        refusal.id = metadata[.reportID] ?? ""
        refusal.domain = policy[.domain] ?? hints.domain
        refusal.notes = notes.sentences
        return refusal
    }

    private func readReporter(_ report: inout ReceivedReport, _ hints: ReportHints) {
        let email = PlainText.line(metadata[.email] ?? "", atMost: 255)
        let organization = metadata[.organization] ?? ""
        let domain =
            ReporterDomain.organization(of: email)
            ?? ReporterDomain.organization(of: organization)
            ?? ReporterDomain.organization(of: hints.sender)
        if organization.isEmpty {
            notes.add(
                metadata[.organization] == nil ? "org_name is missing" : "org_name is empty")
        }
        if email.isEmpty { notes.add("email is missing or empty in report_metadata") }
        if email.contains("<") { notes.add("email is not an address alone: \(email)") }
        report.reporter = organization.isEmpty ? domain ?? "(unnamed)" : organization
        report.reporterDomain = domain ?? report.reporter.lowercased()
        report.id = metadata[.reportID] ?? ""
        if report.id.isEmpty {
            notes.add("report_id is missing or empty: copies cannot be told from new reports")
        }
    }

    private func readDomain(_ report: inout ReceivedReport, _ hints: ReportHints) -> Bool {
        if let name = try? DomainName(policy[.domain] ?? ""), name.labelCount > 0 {
            report.domain = name.ascii
            return true
        }
        guard !hints.domain.isEmpty else { return false }
        notes.add("domain is missing in policy_published: taken from the file's name or Subject")
        report.domain = hints.domain
        return true
    }

    private func readPeriod(_ report: inout ReceivedReport, _ hints: ReportHints) -> Bool {
        func time(_ element: AggregateElement) -> Int64? {
            guard let text = metadata[element], let found = ReportTime.seconds(text) else {
                let written = metadata[element].map { " (\"\($0)\")" } ?? ""
                notes.add("<\(element.rawValue)> is no time in seconds since 1970\(written)")
                return nil
            }
            if let note = found.note { notes.add("<\(element.rawValue)> \(note)") }
            return found.time
        }
        let (first, last) = (time(.begin) ?? hints.begin, time(.end) ?? hints.end)
        guard let known = first ?? last else { return false }
        report.begin = first ?? max(known - 86_399, 0)
        report.end = last ?? known + 86_399
        let length = report.end - report.begin
        if length < 0 {
            notes.add("the period ends before it begins")
            report.end = report.begin
        } else if length == 0 {
            notes.add("the period begins and ends in the same second")
        } else if length > 90_000 {
            notes.add("the period has \(length / 3600) hours, and a report covers a day")
        }
        if report.id.isEmpty { report.id = "none:\(report.begin)-\(report.end)" }
        return true
    }

    private func readPolicy(_ report: inout ReceivedReport) {
        func word(_ element: AggregateElement, _ words: [String]) -> String {
            guard let text = policy[element] else { return "" }
            if text.isEmpty {
                notes.add("<\(element.rawValue)> in policy_published is empty")
            } else if !words.contains(text.lowercased()) {
                notes.add("<\(element.rawValue)> in policy_published is \"\(text)\"")
                return ""
            }
            return text.lowercased()
        }
        let policies = ["none", "quarantine", "reject"]
        report.policy.p = word(.p, policies)
        report.policy.sp = word(.sp, policies)
        report.policy.np = word(.np, policies)
        report.policy.adkim = word(.adkim, ["r", "s"])
        report.policy.aspf = word(.aspf, ["r", "s"])
        if policy[.p] == nil { notes.add("<p> in policy_published is missing") }
        if let pct = policy[.pct], !pct.isEmpty, !(0...100).contains(Int(pct) ?? -1) {
            notes.add("<pct> in policy_published is \"\(pct)\"")
        }
        if let version = metadata[.version], !["1.0", "1", "2.0", "0.1", "0"].contains(version) {
            notes.add("version is \"\(version)\", and the format has 1.0 alone")
        }
    }
}
