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

    private static let namespace = "urn:ietf:params:xml:ns:dmarc-2.0"
    /// How many different records of one address are held back to find equal ones.
    private static let memory = 4096

    /// Makes the report; nil where there is nothing to report: "There MUST be at least one "record"
    /// element" (section 3.1.1.2).
    ///
    /// Messages that did not come from an address are left out: "source_ip" is required.
    ///
    /// - Parameters:
    ///   - policy: the domain's policy, of those that the store has for the day.
    ///   - day: the UTC day, in days since 1970.
    ///   - store: what was counted.
    ///   - reporter: who reports.
    /// - Throws: why the store cannot be read, or the document not be made.
    public init?(
        _ policy: PublishedPolicy, day: Int64, from store: any ReportStore, by reporter: Reporter
    ) throws(ReportError) {
        let published = policy.policy
        let identity = ReportIdentity(published, day: day, receiver: reporter.domain)
        let document = try XMLDocument()
        var body = Body(document)
        var failure: ReportError?
        document.element("feedback", namespace: Self.namespace) {
            document.element("version", "1.0")
            Self.writeMetadata(of: identity, by: reporter, to: document)
            Self.writePolicy(published, to: document)
            do throws(SinkError) {
                try store.counts(under: policy, on: day) { count in
                    guard let address = count.sourceAddress else { return }
                    let row = ReportRow(count.verdict, from: address, under: published)
                    body.add(row, count.messages, atMost: Self.memory)
                }
            } catch {
                failure = ReportError(error.description)
            }
            body.flush()
        }
        if let failure { throw failure }
        guard body.records > 0 else { return nil }
        self.identity = identity
        addresses = published.reportAddresses
        records = body.records
        messages = body.messages
        self.document = try document.finish()
    }

    private static func writeMetadata(
        of identity: ReportIdentity, by reporter: Reporter, to document: XMLDocument
    ) {
        document.element("report_metadata") {
            document.element("org_name", reporter.organization)
            document.element("email", reporter.email)
            document.element("report_id", identity.reportID)
            document.element("date_range") {
                document.element("begin", String(identity.begin))
                document.element("end", String(identity.end))
            }
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
            document.element("fo", policy.failureOptions ?? "0")
            document.element("adkim", policy.adkim == "s" ? "s" : "r")
            document.element("aspf", policy.aspf == "s" ? "s" : "r")
            document.element("testing", policy.isTesting ? "y" : "n")
        }
    }
}

/// The records of a report: equal ones of one address become one.
private struct Body {
    private(set) var records = 0
    private(set) var messages: Int64 = 0
    private let document: XMLDocument
    private var address = ""
    private var waiting: [(row: ReportRow, messages: Int64)] = []
    private var places: [ReportRow: Int] = [:]

    init(_ document: XMLDocument) { self.document = document }

    /// Adds messages; those of one address come one after the other.
    mutating func add(_ row: ReportRow, _ messages: Int64, atMost limit: Int) {
        if row.sourceAddress != address || waiting.count >= limit {
            flush()
            address = row.sourceAddress
        }
        if let place = places[row] {
            waiting[place].messages += messages
        } else {
            places[row] = waiting.count
            waiting.append((row, messages))
        }
    }

    /// Writes what waits.
    mutating func flush() {
        for (row, messages) in waiting {
            write(row, messages)
            records += 1
            self.messages += messages
        }
        waiting = []
        places = [:]
    }

    private func write(_ row: ReportRow, _ messages: Int64) {
        document.element("record") {
            document.element("row") {
                document.element("source_ip", row.sourceAddress)
                document.element("count", String(messages))
                document.element("policy_evaluated") {
                    document.element("disposition", row.disposition)
                    document.element("dkim", row.isDKIMAligned ? "pass" : "fail")
                    document.element("spf", row.isSPFAligned ? "pass" : "fail")
                    for reason in row.reasons {
                        document.element("reason") {
                            document.element("type", reason.type)
                            if !reason.comment.isEmpty {
                                document.element("comment", reason.comment)
                            }
                        }
                    }
                }
            }
            document.element("identifiers") {
                document.element("header_from", row.headerFrom)
                // Empty for the null reverse-path (section 3.1.1.10).
                document.element("envelope_from", row.envelopeFrom)
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
}
