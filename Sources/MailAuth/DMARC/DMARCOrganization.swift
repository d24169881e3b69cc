internal import MailDNS
internal import MailSyntax

/// Finds policy records and organizational domains in the way that the options ask for.
struct DMARCOrganization {
    var options: DMARCOptions

    /// A fact that may have to be waited for, or cannot be had.
    enum Answer<Value> {
        case known(Value)
        /// A question has no answer; what was known without it, if anything.
        case failure(DNSQuestion, DNSFailure, Value?)
        case waiting
    }

    /// The record that applies to an author domain, and where it is.
    struct Policy {
        let record: DMARCRecord
        let domain: DomainName
        let method: DMARCDiscoveryMethod
    }

    /// The organizational domain of a domain (RFC 9989, section 4.10.2).
    func organizationalDomain(
        of domain: DomainName, _ facts: inout DMARCFacts
    ) -> Answer<DomainName> {
        let list: PublicSuffixList?
        switch options.discovery {
        case .publicSuffixList(let list):
            return .known(list.organizationalDomain(of: domain) ?? domain)
        case .treeWalk: list = nil
        case .auto(let known): list = known
        }
        switch walk(domain, &facts, list) {
        case .outcome(let outcome): return .known(outcome.organizationalDomain)
        case .failure(let question, let failure, let below):
            return .failure(question, failure, below)
        case .waiting: return .waiting
        }
    }

    /// The record that applies to an author domain: its own, its organizational domain's, or its public
    /// suffix's (RFC 9989, section 4.10.1); nil where there is none.
    func policy(for author: DomainName, _ facts: inout DMARCFacts) -> Answer<Policy?> {
        // All names of the walk at once, if these are wanted so early.
        if options.asksAhead { _ = organizationalDomain(of: author, &facts) }
        switch facts.finding(author) {
        case nil: return .waiting
        case .failure(let failure):
            guard let question = DMARCFacts.question(author) else { return .known(nil) }
            return .failure(question, failure, nil)
        case .record(let record):
            return .known(Policy(record: record, domain: author, method: method))
        case .nothing: break
        }
        switch options.discovery {
        case .publicSuffixList(let list):
            return policy(for: author, list, &facts)
        case .treeWalk: return policyByWalk(for: author, nil, &facts)
        case .auto(let list): return policyByWalk(for: author, list, &facts)
        }
    }

    private var method: DMARCDiscoveryMethod {
        if case .publicSuffixList = options.discovery { return .publicSuffixList }
        return .treeWalk
    }

    private func walk(
        _ domain: DomainName, _ facts: inout DMARCFacts, _ list: PublicSuffixList?
    ) -> DMARCTreeWalk.Step {
        facts.walk(from: domain, list: list, asksAhead: options.asksAhead)
    }

    private func policyByWalk(
        for author: DomainName, _ list: PublicSuffixList?, _ facts: inout DMARCFacts
    ) -> Answer<Policy?> {
        switch walk(author, &facts, list) {
        case .waiting: return .waiting
        case .failure(let question, let failure, _): return .failure(question, failure, nil)
        case .outcome(let outcome):
            if let record = outcome.record {
                return .known(
                    Policy(
                        record: record, domain: outcome.organizationalDomain,
                        method: outcome.method))
            }
            return .known(
                outcome.publicSuffix.map {
                    Policy(record: $0.record, domain: $0.domain, method: outcome.method)
                })
        }
    }

    /// RFC 7489, section 6.6.3: the author domain is asked for already; its organizational domain follows.
    private func policy(
        for author: DomainName, _ list: PublicSuffixList, _ facts: inout DMARCFacts
    ) -> Answer<Policy?> {
        guard let organization = list.organizationalDomain(of: author), organization != author,
            let question = DMARCFacts.question(organization)
        else { return .known(nil) }
        switch facts.finding(organization) {
        case nil: return .waiting
        case .failure(let failure): return .failure(question, failure, nil)
        case .nothing: return .known(nil)
        case .record(let record):
            return .known(
                Policy(record: record, domain: organization, method: .publicSuffixList))
        }
    }
}
