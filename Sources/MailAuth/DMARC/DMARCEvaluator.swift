public import MailDNS
public import MailSyntax

/// Evaluates DMARC for one message (RFC 9989, section 5.3).
///
/// Made when the From field is known, when it says which questions it has for the DNS; told the
/// answers, which may lead to further questions, and what SPF and DKIM have found; and finished.
/// Pure: it has no socket and no clock.
///
/// Trust: any From field, any identifiers, any DNS answers. The numbers of author domains and
/// identifiers are bounded, and so are the questions for each.
public struct DMARCEvaluator: Sendable {
    private let authorship: DMARCAuthorship
    private let fieldFault: AuthorFieldError?
    /// The domains to be evaluated: those of the authorship, and then the doubtful ones.
    private let evaluated: [DomainName]
    private var organization: DMARCOrganization
    private var identifiers: [DMARCIdentifier]?
    private var facts: DMARCFacts
    private var authors: [DMARCAuthorEvaluation?]

    /// Begins to evaluate.
    ///
    /// - Parameters:
    ///   - author: the From field.
    ///   - options: the administrator's decisions.
    ///   - records: remembers records from message to message.
    public init(
        author: AuthorField, options: DMARCOptions = DMARCOptions(),
        records: DMARCRecordCache = .none
    ) {
        facts = DMARCFacts(records: records)
        authorship = DMARCAuthorship(author, options)
        fieldFault = author.fault
        organization = DMARCOrganization(options: options)
        let certain = authorship.evaluated
        evaluated = certain.isEmpty ? [] : certain + author.doubtfulDomains
        authors = Array(repeating: nil, count: evaluated.count)
        advance()
    }

    /// The questions whose answers are needed now, each once; more may follow from the answers.
    public var questions: [DNSQuestion] { facts.open }

    /// Tells the answer to a question; the first answer counts.
    public mutating func answer(_ question: DNSQuestion, _ answer: DNSAnswer) {
        facts.learn(question, answer)
        advance()
    }

    /// Tells what SPF and DKIM have found: needed once, before the end.
    public mutating func identify(_ found: [DMARCIdentifier]) {
        guard identifiers == nil else { return }
        // What could make the message pass goes first, if there are more than we compare.
        let ordered = found.filter(\.isAuthenticated) + found.filter { !$0.isAuthenticated }
        identifiers = Array(ordered.prefix(max(0, organization.options.maximumIdentifiers)))
        advance()
    }

    /// Ends the evaluation.
    ///
    /// A question without an answer counts as one that timed out. Identifiers that were not told do
    /// not exist.
    public consuming func finish() -> DMARCEvaluation {
        if identifiers == nil { identify([]) }
        while let question = questions.first { answer(question, .failure(.timeout)) }
        let certain = authorship.evaluated.count
        let doubtful = authors.dropFirst(certain).compactMap { $0 }.filter(Self.counts)
        let found = authors.prefix(certain).compactMap { $0 } + doubtful
        let authorship =
            doubtful.isEmpty
            ? authorship : .several(authorship.evaluated + doubtful.map(\.domain))
        let (result, deciding) = Self.combine(found, authorship)
        return DMARCEvaluation(
            result: result, authorship: authorship, fieldFault: fieldFault, authors: found,
            decidingIndex: deciding, questions: facts.asked)
    }

    /// Whether a doubtful author domain counts: it may be nobody's, but whose it is does not want it forged.
    private static func counts(_ doubtful: DMARCAuthorEvaluation) -> Bool {
        doubtful.result == .fail || doubtful.result == .temperror
    }

    /// Has all names of a walk be asked for at once from now on: an answer has to be waited for,
    /// and the next questions can be under way meanwhile.
    public mutating func askAhead() {
        guard !organization.options.asksAhead else { return }
        organization.options.asksAhead = true
        advance()
    }

    /// The questions whether author domains exist, as far as they may be needed and are not asked
    /// yet.
    ///
    /// Whether an author domain exists decides between "sp" and "np" (RFC 9989, section 4.7). Asked
    /// only once its policy is known, it would have what time the sender's servers leave; so it may
    /// be asked beside the policy.
    public var existenceQuestions: [DNSQuestion] {
        zip(evaluated, authors).compactMap { domain, evaluation in
            let question = DNSQuestion(domain, .a)
            return evaluation == nil && !facts.asked.contains(question) ? question : nil
        }
    }

    private mutating func advance() {
        facts.reopen()
        for (index, domain) in evaluated.enumerated() where authors[index] == nil {
            let judge = DMARCJudge(author: domain, organization: organization)
            authors[index] = judge.judge(identifiers, &facts)
        }
    }

    /// The result for a message with these author domains (RFC 9989, sections 5.3.1 and 11.5).
    ///
    /// A pass of one author domain says nothing about another: the message passes only if all do.
    private static func combine(
        _ authors: [DMARCAuthorEvaluation], _ authorship: DMARCAuthorship
    ) -> (DMARCResult, deciding: Int?) {
        let failed = authors.indices.filter { authors[$0].result == .fail }
        // "apply the most strict policy selected among the checks that fail"
        if let strictest = failed.max(by: {
            // Of equals, the first.
            (authors[$0].requestedDisposition, $1) < (authors[$1].requestedDisposition, $0)
        }) {
            return (.fail, strictest)
        }
        if let index = authors.firstIndex(where: { $0.result == .temperror }) {
            return (.temperror, index)
        }
        // "If zero or more than one domain is extracted [...] DMARC validation is not possible"
        // where there are too many to evaluate them all.
        guard authorship.canBeEvaluated else { return (.permerror, nil) }
        if let index = authors.firstIndex(where: { $0.result != .pass }) {
            return (authors[index].result, index)
        }
        return (.pass, authors.isEmpty ? nil : 0)
    }
}
