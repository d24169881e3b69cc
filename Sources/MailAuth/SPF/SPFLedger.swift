internal import MailDNS
internal import MailSyntax
import Threads

/// Asks the DNS for one check, and keeps account of it (RFC 7208, section 4.6.4).
struct SPFLedger {
    let resolver: any DNSResolver
    let limits: SPFLimits
    let now: @Sendable () -> MonotonicTime
    let deadline: MonotonicTime
    let prefetched: SPFPrefetch
    /// Every question asked, in order.
    private(set) var questions: [DNSQuestion] = []
    /// Terms that have caused queries, over all records of the check.
    private(set) var terms = 0
    /// Those of them that found nothing.
    private(set) var voidTerms = 0

    init(
        resolver: any DNSResolver, limits: SPFLimits,
        now: @escaping @Sendable () -> MonotonicTime, deadline: MonotonicTime,
        prefetched: SPFPrefetch
    ) {
        self.resolver = resolver
        self.limits = limits
        self.now = now
        self.deadline = deadline
        self.prefetched = prefetched
    }

    /// Counts a term that is about to cause queries.
    mutating func countTerm() throws(SPFProblem) {
        guard terms < limits.terms else { throw .tooManyLookups(limit: limits.terms) }
        try checkDeadline()
        terms += 1
    }

    /// Ends the check if it has taken too long.
    func checkDeadline() throws(SPFProblem) {
        guard now() < deadline else { throw .deadline }
    }

    /// Counts a term that found nothing.
    ///
    /// The limit is on "the number of "terms" for which DNS queries return" nothing: a term counts
    /// once, an "mx" if it has no mail exchangers or none of them has an address.
    mutating func countVoidTerm() throws(SPFProblem) {
        voidTerms += 1
        guard voidTerms <= limits.voidLookups else {
            throw .tooManyVoidLookups(limit: limits.voidLookups)
        }
    }

    /// Sees to it that so many questions may still be asked.
    func reserve(_ count: Int) throws(SPFProblem) {
        guard count <= room else {
            throw .tooManyQuestions(limit: limits.questions)
        }
    }

    /// How many questions may still be asked.
    var room: Int { max(0, limits.questions - questions.count) }

    /// Starts to look a question up.
    mutating func begin(_ name: DomainName, _ type: RecordType) -> SPFLookup {
        let question = DNSQuestion(name, type)
        questions.append(question)
        let known = type == .txt ? prefetched.answer(for: name) : nil
        let share = min(deadline, now() + limits.questionSeconds)
        return SPFLookup(
            question: question, answer: known ?? resolver.begin(question, deadline: share))
    }

    /// Looks a question up.
    mutating func ask(
        _ name: DomainName, _ type: RecordType
    ) throws(SPFProblem) -> [DNSRecord] {
        try reserve(1)
        let lookup = begin(name, type)
        return try settle(lookup)
    }

    /// Starts to look up a type of several names, all at once.
    mutating func begin(_ names: [DomainName], _ type: RecordType) -> [SPFLookup] {
        names.map { begin($0, type) }
    }

    /// Waits for an answer.
    ///
    /// A name that does not exist has no records (RFC 7208, section 5).
    func settle(_ lookup: SPFLookup) throws(SPFProblem) -> [DNSRecord] {
        switch answer(to: lookup) {
        case .records(let records, _): return records
        case .noData, .nameError: return []
        case .failure(let failure): throw problem(lookup.question, failure)
        }
    }

    /// Waits for an answer, whatever it is.
    func answer(to lookup: SPFLookup) -> DNSAnswer { lookup.answer.wait(until: deadline) }

    private func problem(_ question: DNSQuestion, _ failure: DNSFailure) -> SPFProblem {
        failure == .timeout && now() >= deadline
            ? .deadline : .dns(question, failure)
    }
}

/// A question under way.
struct SPFLookup {
    let question: DNSQuestion
    let answer: PendingAnswer
}

extension [DNSRecord] {
    /// The addresses among the records.
    var addresses: [IPAddress] {
        compactMap { if case .address(let address) = $0 { address } else { nil } }
    }
}
