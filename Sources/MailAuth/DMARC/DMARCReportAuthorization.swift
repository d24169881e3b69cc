public import MailDNS
public import MailSyntax
public import Threads

/// Whether reports about a policy domain may be sent to an address (RFC 9990, section 4; RFC 9991 refers to it).
///
/// Trust: any URI, any answers. Whoever publishes an address of somebody else cannot have reports sent there.
public enum DMARCReportAuthorization: Hashable, Sendable {
    /// They may be sent to this address: the one of the record, or the one with which its host has replaced it.
    case authorized(DMARCReportURI)
    /// They must not be sent: "the URI MUST be ignored". The text says why.
    case refused(String)
    /// The DNS does not say for now. The text says why.
    case undecided(String)

    /// Which addresses of a record are meant.
    public enum Kind: Hashable, Sendable {
        /// Those of "rua".
        case aggregate
        /// Those of "ruf".
        case failure
    }

    /// Finds out.
    ///
    /// - Parameters:
    ///   - uri: an address of the policy record.
    ///   - policyDomain: the domain at which the record was found.
    ///   - kind: which tag it is of.
    ///   - options: how Organizational Domains are found.
    ///   - resolver: who answers questions.
    ///   - deadline: when to stop waiting.
    public init(
        of uri: DMARCReportURI, about policyDomain: DomainName, kind: Kind = .aggregate,
        options: DMARCOptions, resolver: some DNSResolver, deadline: MonotonicTime
    ) {
        guard let host = uri.mailbox?.domain else {
            self = .refused("it is no mail address")
            return
        }
        // The domain itself is of its own organization.
        if host == policyDomain {
            self = .authorized(uri)
            return
        }
        switch Self.areOfOneOrganization(policyDomain, host, options, resolver, deadline) {
        case .failure(let failure):
            self = .undecided("the organizational domains are not known: \(failure.text)")
        case .success(true): self = .authorized(uri)
        case .success(false):
            self = Self.external(uri, host, policyDomain, kind, resolver, deadline)
        }
    }

    private struct Undecided: Error {
        let text: String
    }

    /// Whether two domains have the same Organizational Domain.
    private static func areOfOneOrganization(
        _ first: DomainName, _ second: DomainName, _ options: DMARCOptions,
        _ resolver: some DNSResolver, _ deadline: MonotonicTime
    ) -> Result<Bool, Undecided> {
        let organization = DMARCOrganization(options: options)
        var facts = DMARCFacts(records: .none)
        while true {
            facts.reopen()
            let found = [first, second].map {
                organization.organizationalDomain(of: $0, &facts)
            }
            let open = facts.open
            guard !open.isEmpty else {
                var domains: [DomainName] = []
                for answer in found {
                    switch answer {
                    case .known(let domain): domains.append(domain)
                    case .failure(let question, let failure, _):
                        return .failure(Undecided(text: "\(question.name): \(failure)"))
                    case .waiting: return .failure(Undecided(text: "no answer"))
                    }
                }
                return .success(domains[0] == domains[1])
            }
            let pending = open.map { ($0, resolver.begin($0, deadline: deadline)) }
            for (question, answer) in pending { facts.learn(question, answer.wait()) }
        }
    }

    /// Steps 2 to 9: what the destination says.
    private static func external(
        _ uri: DMARCReportURI, _ host: DomainName, _ policyDomain: DomainName, _ kind: Kind,
        _ resolver: some DNSResolver, _ deadline: MonotonicTime
    ) -> DMARCReportAuthorization {
        // Step 4: "If the length of the constructed name exceed DNS limits, a positive determination of
        // the external reporting relationship cannot be made; stop."
        guard let label = try? DomainName("_report._dmarc"),
            let suffix = try? label.below(host), let name = try? policyDomain.below(suffix)
        else { return .refused("the name that would have to say so is too long") }
        let records: [DMARCRecord]
        switch resolver.resolve(DNSQuestion(name, .txt), deadline: deadline) {
        case .failure(let failure): return .undecided("\(name.ascii): \(failure)")
        case .nameError, .noData: records = []
        case .records(let answers, _):
            records = answers.compactMap { answer in
                guard case .text(let strings) = answer else { return nil }
                return DMARCRecord(parsing: Array(strings.joined()))
            }
        }
        guard !records.isEmpty else {
            return .refused("\(name.ascii) does not say that \(host.ascii) wants them")
        }
        // Step 9: "If a "rua" tag is thus discovered, replace the corresponding value".
        let replacements = records.flatMap { record in
            kind == .aggregate ? record.aggregateReportURIs : record.failureReportURIs
        }
        guard let replacement = replacements.first(where: { $0.mailbox != nil }) else {
            return .authorized(uri)
        }
        // "the Mail Receiver generating the report MUST NOT generate a report to either the original or
        // the override URI."
        guard replacements.allSatisfy({ $0.mailbox.map { $0.domain == host } ?? true }) else {
            return .refused("\(name.ascii) names an address of another host")
        }
        return .authorized(replacement)
    }
}
