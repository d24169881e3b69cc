public import MailDNS
public import MailSyntax

/// What a check came to, and how.
public struct SPFOutcome: Sendable {
    /// What was asked.
    public let request: SPFRequest
    /// The result.
    public let result: SPFResult
    /// The records that were visited; nil where there was no name to check.
    public let visit: SPFVisit?
    /// Text from the domain's owner about a "fail" (RFC 7208, section 6.2), printable ASCII; nil
    /// where there is none.
    public let explanation: String?
    /// How many terms caused DNS queries: at most `SPFLimits.terms`.
    public let lookups: Int
    /// How many of these found nothing.
    public let voidLookups: Int
    /// Every question that was asked of the DNS, in order.
    public let questions: [DNSQuestion]

    /// The domain whose policy was asked for.
    public var domain: DomainName? { request.domain }

    /// The mechanism that decided, and the record that has it; nil where none matched.
    ///
    /// Where "include" passed the decision on as it was, this is the mechanism of the included
    /// record.
    public var decision: SPFDecision? { visit?.decision }

    /// The octets of the records that were visited.
    public var recordOctets: Int { visit?.octets ?? 0 }

    /// What went wrong, in a "temperror" or "permerror".
    public var problem: SPFProblem? { visit?.problem }
}

/// A mechanism that matched, and where it stands.
public struct SPFDecision: Hashable, Sendable {
    /// The directive as it is written in the record.
    public let mechanism: String
    /// The domain that published the record.
    public let domain: DomainName
}

/// The evaluation of one record, and of those it led to: a tree.
public struct SPFVisit: Sendable {
    /// How a record came to its end.
    public enum Ending: Hashable, Sendable {
        /// A directive matched; its place in the record's list.
        case matched(Int)
        /// Nothing matched, and there is no "redirect".
        case unmatched
        /// Nothing matched: the last of the nested visits, of the redirect's target, decides.
        case redirected
        /// There is no record.
        case noRecord
        /// The record could not be evaluated.
        case problem(SPFProblem)
        /// The last of the nested visits, of an "include", ran into a problem, which ends the
        /// check.
        case includeFailed
    }

    /// The domain asked for.
    public let domain: DomainName
    /// The term that led here, as written in the record above; nil for the first record.
    public let term: String?
    /// The record, if there is one and it parsed.
    public internal(set) var record: SPFRecord?
    /// What this record results in.
    public internal(set) var result: SPFResult = .none
    /// How it came to that.
    public internal(set) var ending: Ending = .noRecord
    /// The records that "include" and "redirect" led to, in order.
    public internal(set) var nested: [SPFVisit] = []

    init(domain: DomainName, term: String?) {
        self.domain = domain
        self.term = term
    }

    /// The octets of all records that were visited.
    var octets: Int { nested.reduce(record?.bytes.count ?? 0) { $0 + $1.octets } }

    /// The directive that matched in this record.
    public var matched: SPFDirective? {
        guard case .matched(let index) = ending, let record else { return nil }
        return record.directives[index]
    }

    var decision: SPFDecision? {
        if case .redirected = ending { return nested.last?.decision }
        guard let matched, let record else { return nil }
        if case .include = matched.mechanism, matched.qualifier == .pass,
            let inner = nested.last?.decision
        {
            return inner
        }
        return SPFDecision(mechanism: record.text(of: matched), domain: domain)
    }

    var problem: SPFProblem? {
        switch ending {
        case .problem(let problem): problem
        case .redirected, .includeFailed: nested.last?.problem
        case .matched, .unmatched, .noRecord: nil
        }
    }
}

/// Why a record could not be evaluated.
public enum SPFProblem: Error, Hashable, Sendable {
    /// The record breaks the grammar (RFC 7208, section 4.6).
    case syntax(SPFSyntaxError, domain: DomainName)
    /// A name has several SPF records (RFC 7208, section 4.5).
    case severalRecords(domain: DomainName)
    /// More terms than allowed would cause DNS queries (RFC 7208, section 4.6.4).
    case tooManyLookups(limit: Int)
    /// More terms than allowed found nothing in the DNS (RFC 7208, section 4.6.4).
    case tooManyVoidLookups(limit: Int)
    /// A name has more mail exchangers than allowed (RFC 7208, section 4.6.4).
    case tooManyMailExchangers(domain: DomainName, limit: Int)
    /// The record makes more questions necessary than allowed (RFC 7208, section 11.1).
    case tooManyQuestions(limit: Int)
    /// The target of "include" or "redirect" has no record (RFC 7208, sections 5.2 and 6.1).
    case noRecord(target: String)
    /// The DNS gave no answer for now.
    case dns(DNSQuestion, DNSFailure)
    /// The check took longer than allowed.
    case deadline

    /// The result that the problem makes of a check.
    public var result: SPFResult {
        switch self {
        case .dns, .deadline: .temperror
        default: .permerror
        }
    }
}
