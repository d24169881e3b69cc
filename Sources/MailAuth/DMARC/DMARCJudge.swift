internal import MailDNS
internal import MailSyntax

/// Judges one author domain, as far as the facts go (RFC 9989, sections 5.3.2 to 5.3.6).
struct DMARCJudge {
    let author: DomainName
    let organization: DMARCOrganization

    /// Judges; nil, and questions, where something is still missing.
    ///
    /// - Parameters:
    ///   - identifiers: what SPF and DKIM found; nil where that is not known yet.
    ///   - facts: what the DNS has said.
    /// - Returns: the evaluation, if nothing is missing.
    func judge(
        _ identifiers: [DMARCIdentifier]?, _ facts: inout DMARCFacts
    ) -> DMARCAuthorEvaluation? {
        let found: DMARCOrganization.Policy
        switch organization.policy(for: author, &facts) {
        case .waiting:
            return nil
        case .failure(let question, let failure, _):
            return evaluation(.temperror, .dns(question, failure))
        case .known(nil):
            // "the DMARC mechanism does not apply" (section 5.3.2)
            if case .nothing(.severalRecords(let count)) = facts.finding(author) {
                return evaluation(.none, .severalRecords(count))
            }
            return evaluation(.none, .noRecord)
        case .known(let policy?):
            // "Otherwise, the Mail Receiver applies no DMARC processing" (section 4.10.1), and reports "the
            // retrieval of an improperly formatted DMARC Policy Record" (section 9.2).
            guard policy.record.isActionable else {
                return evaluation(.permerror, .noValidPolicy(policy.domain))
            }
            found = policy
        }
        let (tag, trouble) = tag(found, &facts)
        guard let identifiers else { return nil }
        // Each is asked for, so that all questions that can be asked now are.
        let relations = identifiers.filter { $0.isAuthenticated || $0.isUndecided }.map {
            ($0, relation($0, found.record, &facts))
        }
        guard let tag else { return nil }
        var alignments: [DMARCAlignment] = []
        for (identifier, relation) in relations {
            guard let relation else { return nil }
            alignments.append(DMARCAlignment(identifier: identifier, relation: relation))
        }
        let policy = DMARCAppliedPolicy(
            record: found.record, domain: found.domain, tag: tag, method: found.method)
        return conclude(policy, alignments, trouble)
    }

    /// "If one or more of the Authenticated Identifiers align with the Author Domain, the message is
    /// considered to pass" (section 5.3.5); "if one or more DNS queries required [...] do not complete [...]
    /// the message cannot be considered to pass or fail" (section 5.3.6).
    private func conclude(
        _ policy: DMARCAppliedPolicy, _ alignments: [DMARCAlignment], _ trouble: DMARCCause?
    ) -> DMARCAuthorEvaluation {
        if let alignment = alignments.first(where: \.isAuthenticAndAligned) {
            return evaluation(.pass, .aligned(alignment), policy, alignments)
        }
        if let alignment = alignments.first(where: \.isUndecided) {
            return evaluation(.temperror, .undecided(alignment), policy, alignments)
        }
        if let trouble { return evaluation(.temperror, trouble, policy, alignments) }
        return evaluation(.fail, .notAligned, policy, alignments)
    }

    private func evaluation(
        _ result: DMARCResult, _ cause: DMARCCause, _ policy: DMARCAppliedPolicy? = nil,
        _ alignments: [DMARCAlignment] = []
    ) -> DMARCAuthorEvaluation {
        DMARCAuthorEvaluation(
            domain: author, result: result, policy: policy, alignments: alignments, cause: cause)
    }

    /// Which tag of the record speaks for the author domain.
    ///
    /// Nil where the DNS has still to say whether the domain exists. If the DNS cannot say, the trouble
    /// matters to a message that would fail.
    private func tag(
        _ policy: DMARCOrganization.Policy, _ facts: inout DMARCFacts
    ) -> (DMARCRecord.PolicyTag?, trouble: DMARCCause?) {
        // "If the DMARC Policy Record to be applied is that of the Author Domain, then the Domain Owner
        // Assessment Policy is taken from the "p" tag."
        guard policy.domain != author else { return (.p, nil) }
        let record = policy.record
        let other = record.subdomainTag(exists: true)
        guard record.hasValidPolicies, record.subdomainTag(exists: false) != other else {
            return (other, nil)
        }
        switch facts.exists(author) {
        case nil: return (nil, nil)
        case .success(let exists): return (record.subdomainTag(exists: exists), nil)
        case .failure(let error):
            return (other, .dns(DNSQuestion(author, .a), error.failure))
        }
    }

    /// How an identifier relates to the author domain (section 4.10.2); nil where answers are missing.
    private func relation(
        _ identifier: DMARCIdentifier, _ record: DMARCRecord, _ facts: inout DMARCFacts
    ) -> DMARCAlignment.Relation? {
        if identifier.domain == author { return .identical }
        let mode = identifier.mechanism == .spf ? record.spfAlignment : record.dkimAlignment
        // "The DMARC Policy Record for the Author Domain indicates strict alignment. In this case, a simple
        // string comparison [...] is all that is required."
        guard mode == .relaxed else { return DMARCAlignment.Relation.none(.strict) }
        // A domain's organizational domain is the domain itself, or above it: what has not even the last
        // label in common cannot have one organizational domain.
        guard identifier.domain.suffix(labels: 1) == author.suffix(labels: 1) else {
            return DMARCAlignment.Relation.none(.relaxed)
        }
        switch organization.organizationalDomain(of: author, &facts) {
        case .waiting: return nil
        case .known(let mine):
            // Nor can what is outside of it.
            guard identifier.domain.isEqualOrSubdomain(of: mine) else {
                return DMARCAlignment.Relation.none(.relaxed)
            }
            return relation(identifier, to: mine, without: nil, &facts)
        case .failure(let question, let failure, let below):
            return relation(identifier, to: below, without: (question, failure), &facts)
        }
    }

    /// Whether an identifier's organizational domain is the author's.
    ///
    /// Where both walks have come to the same domain before the same question that nobody answers, the answer is not "required
    /// to perform DMARC validation" (section 5.3.6): whatever stands there or above makes the same of both.
    private func relation(
        _ identifier: DMARCIdentifier, to mine: DomainName?,
        without missing: (question: DNSQuestion, failure: DNSFailure)?, _ facts: inout DMARCFacts
    ) -> DMARCAlignment.Relation? {
        switch organization.organizationalDomain(of: identifier.domain, &facts) {
        case .waiting: return nil
        case .known(let theirs):
            if let missing, author.isEqualOrSubdomain(of: theirs) {
                return .unknown(missing.question, missing.failure)
            }
            return theirs == mine
                ? .sameOrganization(theirs) : DMARCAlignment.Relation.none(.relaxed)
        case .failure(let question, let failure, let theirs):
            if let theirs, theirs == mine, question == missing?.question {
                return .sameOrganization(theirs)
            }
            return .unknown(question, failure)
        }
    }
}
