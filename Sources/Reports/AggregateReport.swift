public import ReportStore

/// An aggregate report about one policy domain, one policy and one UTC day (RFC 9990).
///
/// The elements come in the order of the tables of section 3.1.1.
public struct AggregateReport: Sendable {
    /// What tells it from others.
    public let identity: ReportIdentity
    /// Where the record asks for it to be sent, as published: neither verified nor filtered.
    public let addresses: [String]
    /// The XML document.
    public let document: [UInt8]
    /// How many records it has.
    public let records: Int
    /// How many messages they count.
    public let messages: Int64

    /// How long a document may become before the rest is a report of its own, in octets.
    ///
    /// Readers have bounds, of which 20 MB is the least that is known, and hosts take 10 MB of mail,
    /// which even names that do not compress well stay below.
    public static let sizeLimit = 10 << 20

    private static let mostKnownRows = 2048

    /// Makes the reports about a policy and a day: one, or several where one would be too long.
    ///
    /// There is none where there is nothing to report: "There MUST be at least one "record"
    /// element" (section 3.1.1.2). Messages that did not come from an address are left out:
    /// "source_ip" is required.
    ///
    /// - Parameters:
    ///   - policy: the domain's policy, of those that the store has for the day.
    ///   - day: the UTC day, in days since 1970.
    ///   - store: what was counted.
    ///   - reporter: who reports.
    ///   - sizeLimit: how long a document may become, in octets.
    ///   - each: takes each report.
    /// - Throws: why the store cannot be read, or a document not be made; what `each` throws.
    public static func each(
        of policy: PublishedPolicy, day: Int64, from store: any ReportStore, by reporter: Reporter,
        sizeLimit: Int = sizeLimit, _ each: (AggregateReport) throws(ReportError) -> Void
    ) throws(ReportError) {
        let published = policy.policy
        let writer = ReportWriter(published, day: day, by: reporter, sizeLimit: sizeLimit)
        /// By the numbers of their verdicts: most rows differ in the address alone.
        var known: [Int64: ReportRow] = [:]
        do throws(SinkError) {
            try store.counts(under: policy, on: day) { count throws(SinkError) in
                guard let address = count.sourceAddress else { return }
                var row =
                    known[count.verdictNumber]
                    ?? ReportRow(count.verdict, from: address, under: published)
                row.sourceAddress = address
                if known.count >= mostKnownRows { known = [:] }
                known[count.verdictNumber] = row
                do throws(ReportError) {
                    try writer.add(row, count.messages, each)
                } catch {
                    throw SinkError(error.description)
                }
            }
        } catch {
            throw ReportError(error.description)
        }
        try writer.finish(each)
    }
}

/// Writes records into documents: equal ones of one address become one record.
private final class ReportWriter {
    private let policy: Evaluation.Policy
    private let day: Int64
    private let reporter: Reporter
    private let sizeLimit: Int
    private var parts = 0
    private var begun: (identity: ReportIdentity, document: XMLDocument)?
    private var records = 0
    private var messages: Int64 = 0
    private var address = ""
    private var waiting: [(row: ReportRow, messages: Int64)] = []
    private var places: [ReportRow: Int] = [:]

    private static let namespace = "urn:ietf:params:xml:ns:dmarc-2.0"
    /// How many different records of one address are held back to find equal ones.
    private static let memory = 4096
    /// After how many records to look how long the document has become.
    private static let stride = 64

    init(_ policy: Evaluation.Policy, day: Int64, by reporter: Reporter, sizeLimit: Int) {
        self.policy = policy
        self.day = day
        self.reporter = reporter
        self.sizeLimit = sizeLimit
    }

    /// Adds messages; those of one address come one after the other.
    func add(
        _ row: ReportRow, _ messages: Int64, _ each: (AggregateReport) throws(ReportError) -> Void
    ) throws(ReportError) {
        // A damaged store may have any number.
        guard messages > 0 else { return }
        if row.sourceAddress != address || waiting.count >= Self.memory {
            try flush(each)
            address = row.sourceAddress
        }
        guard !waiting.isEmpty else {
            waiting.append((row, messages))
            return
        }
        if places.isEmpty { places[waiting[0].row] = 0 }
        if let place = places[row] {
            waiting[place].messages.add(upToMost: messages)
        } else {
            places[row] = waiting.count
            waiting.append((row, messages))
        }
    }

    /// Writes what waits, and ends the last document.
    func finish(_ each: (AggregateReport) throws(ReportError) -> Void) throws(ReportError) {
        try flush(each)
        try close(each)
    }

    private func flush(
        _ each: (AggregateReport) throws(ReportError) -> Void
    ) throws(ReportError) {
        for (row, messages) in waiting {
            let document = try opened()
            Self.write(row, messages, to: document)
            records += 1
            self.messages.add(upToMost: messages)
            if records % Self.stride == 0, document.length >= sizeLimit { try close(each) }
        }
        waiting = []
        places = [:]
    }

    private func opened() throws(ReportError) -> XMLDocument {
        if let begun { return begun.document }
        parts += 1
        let identity = ReportIdentity(policy, day: day, receiver: reporter.domain, part: parts)
        let document = try XMLDocument()
        document.begin("feedback", namespace: Self.namespace)
        document.element("version", "1.0")
        let fault = PolicyFaults.words(policy)
        Self.writeMetadata(of: identity, by: reporter, fault: fault, to: document)
        Self.writePolicy(policy, to: document)
        begun = (identity, document)
        return document
    }

    private func close(
        _ each: (AggregateReport) throws(ReportError) -> Void
    ) throws(ReportError) {
        guard let (identity, document) = begun else { return }
        document.end()
        let report = AggregateReport(
            identity: identity, addresses: policy.reportAddresses,
            document: try document.finish(), records: records, messages: messages)
        begun = nil
        (records, messages) = (0, 0)
        try each(report)
    }

    private static func writeMetadata(
        of identity: ReportIdentity, by reporter: Reporter, fault: String?,
        to document: XMLDocument
    ) {
        document.element("report_metadata") {
            document.element("org_name", reporter.organization)
            document.element("email", reporter.email)
            document.element("report_id", identity.reportID)
            document.element("date_range") {
                document.element("begin", String(identity.begin))
                document.element("end", String(identity.end))
            }
            if let fault { document.element("error", fault) }
            document.element("generator", reporter.generator)
        }
    }

    /// "Unspecified tags have their default values" (section 3.1.1.5): "sp" is what "p" is, and
    /// "np" what "sp" is (RFC 9989, section 4.7).
    private static func writePolicy(_ policy: Evaluation.Policy, to document: XMLDocument) {
        func request(_ word: String?) -> String? {
            word.flatMap { ["none", "quarantine", "reject"].contains($0) ? $0 : nil }
        }
        let p = request(policy.p) ?? "none"
        let sp = request(policy.sp) ?? p
        document.element("policy_published") {
            document.element("domain", policy.domain)
            document.element("discovery_method", policy.discovery == "psl" ? "psl" : "treewalk")
            document.element("p", p)
            document.element("sp", sp)
            document.element("np", request(policy.np) ?? sp)
            let options = policy.failureOptions ?? "0"
            document.element("fo", options == Evaluation.Policy.invalid ? "0" : options)
            document.element("adkim", policy.adkim == "s" ? "s" : "r")
            document.element("aspf", policy.aspf == "s" ? "s" : "r")
            document.element("testing", policy.isTesting ? "y" : "n")
        }
    }

    private static func write(_ row: ReportRow, _ messages: Int64, to document: XMLDocument) {
        document.element("record") {
            document.element("row") {
                document.element("source_ip", row.sourceAddress)
                document.element("count", String(messages))
                writeEvaluation(row, to: document)
            }
            document.element("identifiers") {
                document.element("header_from", row.headerFrom)
                // Empty for the null reverse-path (section 3.1.1.10).
                document.element("envelope_from", row.envelopeFrom)
                if let domain = row.envelopeTo { document.element("envelope_to", domain) }
            }
            document.element("auth_results") {
                for signature in row.signatures {
                    document.element("dkim") {
                        document.element("domain", signature.domain)
                        document.element("selector", signature.selector)
                        document.element("result", signature.result)
                    }
                }
                if let sender = row.sender {
                    document.element("spf") {
                        document.element("domain", sender.domain)
                        // "The only valid value": of the null reverse-path too, whose domain is the
                        // HELO name's.
                        document.element("scope", "mfrom")
                        document.element("result", sender.result)
                    }
                }
            }
        }
    }

    private static func writeEvaluation(_ row: ReportRow, to document: XMLDocument) {
        document.element("policy_evaluated") {
            document.element("disposition", row.disposition)
            document.element("dkim", row.isDKIMAligned ? "pass" : "fail")
            document.element("spf", row.isSPFAligned ? "pass" : "fail")
            for reason in row.reasons {
                document.element("reason") {
                    document.element("type", reason.type)
                    if !reason.comment.isEmpty { document.element("comment", reason.comment) }
                }
            }
        }
    }
}

extension Int64 {
    /// Adds a positive number, up to the largest that there is.
    fileprivate mutating func add(upToMost other: Int64) {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        self = isTooLarge ? .max : sum
    }
}
