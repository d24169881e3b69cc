internal import MailDNS
internal import MailSyntax

/// What the DNS has said so far, and what it has still to be asked.
///
/// One memory for all walks of a message, so that no question is asked twice. Trust: any answers.
struct DMARCFacts {
    /// What is known about the DMARC record of a domain.
    enum Finding {
        case record(DMARCRecord)
        /// There is none.
        case nothing(Absence)
        case failure(DNSFailure)
    }

    enum Absence: Hashable {
        /// Not even the name exists.
        case noName
        /// There is no record that begins with the version.
        case noRecord
        /// There are several, which "are all discarded" (RFC 9989, section 4.10).
        case severalRecords(Int)
    }

    /// Records that have been parsed already.
    private let records: DMARCRecordCache
    /// Every question, in the order in which it was first needed.
    private(set) var asked: [DNSQuestion] = []
    /// The walks so far, and what those came to that have ended.
    private var walks: [DomainName: (walk: DMARCTreeWalk, end: DMARCTreeWalk.Step?)] = [:]
    private var findings: [DomainName: Finding] = [:]
    private var existence: [DomainName: Result<Bool, Failure>] = [:]

    struct Failure: Error {
        let failure: DNSFailure
    }

    /// Nothing is known.
    init(records: DMARCRecordCache) {
        self.records = records
    }

    /// The questions without an answer that were needed in the last look at the facts.
    private(set) var open: [DNSQuestion] = []

    /// Begins to look at the facts anew: what was open may be needed no longer.
    mutating func reopen() {
        open.removeAll(keepingCapacity: true)
    }

    /// The question for the record of a domain; nil where the name would be longer than any can be.
    static func question(_ domain: DomainName) -> DNSQuestion? {
        (try? DomainName.dmarcLabel.below(domain)).map { DNSQuestion($0, .txt) }
    }

    /// The record of a domain; nil, and a question, where nothing is known yet.
    mutating func finding(_ domain: DomainName) -> Finding? {
        if let known = findings[domain] { return known }
        guard let question = Self.question(domain) else { return .nothing(.noName) }
        need(question)
        return nil
    }

    /// Whether a domain exists; nil, and a question, where nothing is known yet.
    ///
    /// "If the response code received for a query for a domain name is NXDOMAIN, then the domain name and
    /// any possible subdomains do not exist" (RFC 9989, section 3.2.13), whatever the record type.
    mutating func exists(_ domain: DomainName) -> Result<Bool, Failure>? {
        if let known = existence[domain] { return known }
        // A name below it exists: so does the domain itself (RFC 8020, section 2).
        switch findings[domain] {
        case .record, .nothing(.noRecord), .nothing(.severalRecords): return .success(true)
        default: break
        }
        need(DNSQuestion(domain, .a))
        return nil
    }

    private mutating func need(_ question: DNSQuestion) {
        guard !open.contains(question) else { return }
        open.append(question)
        if !asked.contains(question) { asked.append(question) }
    }

    /// Goes on with a walk from a domain, as far as the facts allow.
    mutating func walk(
        from start: DomainName, list: PublicSuffixList?, asksAhead: Bool
    ) -> DMARCTreeWalk.Step {
        let known = walks[start]
        if let end = known?.end { return end }
        let walk = known?.walk ?? DMARCTreeWalk(from: start)
        let step = walk.step(&self, list: list, asksAhead: asksAhead)
        if case .waiting = step {
            walks[start] = (walk, nil)
        } else {
            walks[start] = (walk, step)
        }
        return step
    }

    /// Takes an answer, if its question has been asked; the first counts.
    mutating func learn(_ question: DNSQuestion, _ answer: DNSAnswer) {
        guard asked.contains(question) else { return }
        if question.type == .txt {
            guard let domain = question.name.parent, findings[domain] == nil else { return }
            findings[domain] = finding(answer)
        } else if existence[question.name] == nil {
            existence[question.name] =
                switch answer {
                case .records, .noData: .success(true)
                case .nameError: .success(false)
                case .failure(let failure): .failure(Failure(failure: failure))
                }
        }
    }

    private func finding(_ answer: DNSAnswer) -> Finding {
        switch answer {
        case .nameError: return .nothing(.noName)
        case .noData: return .nothing(.noRecord)
        case .failure(let failure): return .failure(failure)
        case .records(let answers, _):
            var found: [DMARCRecord] = []
            for case .text(let strings) in answers {
                let text = strings.count == 1 ? strings[0] : Array(strings.joined())
                if let record = records.record(for: text) { found.append(record) }
            }
            if let record = found.first, found.count == 1 { return .record(record) }
            return .nothing(found.isEmpty ? .noRecord : .severalRecords(found.count))
        }
    }
}
