public import MailDNS
public import MailSyntax
public import Threads

/// The check_host() function of RFC 7208, over any resolver.
///
/// A check blocks its thread while it waits for the DNS, and never beyond `SPFLimits.seconds` or the
/// caller's deadline. An evaluator holds no state of a check, and reads the clocks that it was given:
/// threads may share one.
public struct SPFEvaluator: Sendable {
    /// Answers the questions.
    public let resolver: any DNSResolver
    /// How much one check may ask for.
    public let limits: SPFLimits
    /// The name of the host that checks, for the "r" macro; "unknown" withholds it (RFC 7208, section
    /// 7.3).
    public let receiver: String
    /// Whether a "fail" is worth a query for its explanation.
    public let wantsExplanation: Bool
    /// Records that have been parsed already.
    private let records: SPFRecordCache
    /// The clocks: for the limits on time, and for the "t" macro.
    private let time: TimeSource

    /// Creates an evaluator.
    ///
    /// - Parameters:
    ///   - resolver: answers the questions.
    ///   - time: the clocks that limits on time and the "t" macro are read from.
    ///   - limits: how much one check may ask for.
    ///   - receiver: the name of the host that checks, told to the domains that ask for it.
    ///   - wantsExplanation: whether to fetch explanations.
    ///   - records: remembers records from check to check.
    public init(
        resolver: any DNSResolver, time: TimeSource, limits: SPFLimits = SPFLimits(),
        receiver: String = "unknown", wantsExplanation: Bool = true,
        records: SPFRecordCache = .none
    ) {
        self.resolver = resolver
        self.time = time
        self.limits = limits
        self.receiver = receiver
        self.wantsExplanation = wantsExplanation
        self.records = records
    }

    /// Starts to fetch the records that checks will begin with, all at once.
    ///
    /// A check of HELO and one of MAIL FROM follow each other, yet both records can be asked for as soon
    /// as both names are known. Nothing else is fetched ahead: that a check ends at the first error or
    /// the third void lookup is what protects others from being asked for no reason (RFC 7208, section
    /// 11.1).
    ///
    /// - Parameter domains: what the requests to come have as `SPFRequest.domain`.
    /// - Returns: what is under way, for `check`.
    public func prefetch(_ domains: DomainName?...) -> SPFPrefetch {
        let deadline = time.now() + min(limits.seconds, limits.questionSeconds)
        var prefetch = SPFPrefetch()
        for case let domain? in domains where prefetch.answer(for: domain) == nil {
            let answer = resolver.begin(DNSQuestion(domain, .txt), deadline: deadline)
            prefetch.answers.append((domain, answer))
        }
        return prefetch
    }

    /// Evaluates a request.
    ///
    /// - Parameters:
    ///   - request: the identity and the client.
    ///   - prefetched: what `prefetch` began, if anything.
    ///   - deadline: when the check has to end, even if its limits would let it go on.
    /// - Returns: the result and its reasons; errors are results too.
    public func check(
        _ request: SPFRequest, prefetched: SPFPrefetch = SPFPrefetch(),
        deadline: MonotonicTime = .distantFuture
    ) -> SPFOutcome {
        // RFC 7208, section 4.3: "immediately returns the result "none"".
        guard let domain = request.domain else {
            return SPFOutcome(
                request: request, result: .none, visit: nil, explanation: nil, lookups: 0,
                voidLookups: 0, questions: [])
        }
        var evaluation = SPFEvaluation(
            request: request, receiver: receiver, records: records, time: time,
            ledger: SPFLedger(
                resolver: resolver, limits: limits, now: time.now,
                deadline: min(deadline, time.now() + limits.seconds), prefetched: prefetched))
        let visit = evaluation.checkHost(domain, term: nil)
        let explanation =
            visit.result == .fail && wantsExplanation ? evaluation.explanation(of: visit) : nil
        return SPFOutcome(
            request: request, result: visit.result, visit: visit, explanation: explanation,
            lookups: evaluation.ledger.terms, voidLookups: evaluation.ledger.voidTerms,
            questions: evaluation.ledger.questions)
    }
}

/// Records under way, for checks to come.
public struct SPFPrefetch: Sendable {
    /// One or two, as there are identities.
    fileprivate(set) var answers: [(domain: DomainName, answer: PendingAnswer)] = []

    /// Nothing under way.
    public init() {}

    /// The record of a domain, if it is under way.
    func answer(for domain: DomainName) -> PendingAnswer? {
        answers.first { $0.domain == domain }?.answer
    }

    /// Gives up what no check has used.
    public func cancel() {
        for (_, answer) in answers { answer.cancel() }
    }
}
