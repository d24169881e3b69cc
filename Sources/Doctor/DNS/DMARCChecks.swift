internal import MailAuth
internal import MailDNS
internal import MailSyntax

/// What the DMARC records of the domains say, and whether they are where receivers look (RFC 9989).
enum DMARCChecks {
    /// The record that applies to the domain.
    static let record = Check.ofDomains("dns.dmarc", fine: "a DMARC record applies") {
        host, dns, domain throws(DNSTrouble) in
        guard let name = try? DomainName.dmarcLabel.below(domain) else { return [] }
        let texts = try dns.texts(name)
        if !texts.isEmpty {
            let check = DMARCRecordCheck(domain, name, texts: texts, host, dns)
            return try check.findings()
        }
        guard try dns.appliedPolicy(domain) == nil else { return [] }
        return [try missing(domain, name, host, dns)]
    }

    /// Whether the signatures are aligned.
    static let alignment = Check.ofDomains(
        "dns.dmarc.alignment", fine: "signatures are aligned with the domain"
    ) { host, dns, domain throws(DNSTrouble) in
        let keys = host.signing.keys(for: domain)
        guard !keys.isEmpty else {
            return [
                .skipped(
                    "dns.dmarc.alignment", domain.ascii,
                    "whether signatures are aligned is not known: no key is known that signs")
            ]
        }
        let evaluation = dns.dmarc(
            domain, identifiers: keys.map { ($0.domain, $0.selector) })
        guard evaluation.result == .fail else { return [] }
        let signers = Shown.list(keys.map(\.domain.ascii))
        return [
            Diagnosis(
                .dmarcUnaligned, domain.ascii,
                "its mail is signed for \(signers), not aligned with it",
                mend: .words("have a key of \(domain.ascii) sign: signet setup \(domain.ascii)"))
        ]
    }

    /// Nothing applies: perhaps it lies elsewhere.
    private static func missing(
        _ domain: DomainName, _ name: DomainName, _ host: HostView, _ dns: DNSLookup
    ) throws(DNSTrouble) -> Diagnosis {
        if let target = try dns.alias(name) {
            return Diagnosis(
                .aliasDangling, name.ascii,
                "it is an alias of \(target.ascii), where there is no DMARC record",
                mend: .words("have \(target.ascii) published, or remove the alias"))
        }
        func moved(
            _ kind: DiagnosisKind, from place: DomainName, _ strings: [[UInt8]]
        ) -> Diagnosis {
            Diagnosis(
                kind, domain.ascii, "the DMARC record is at \(place.ascii)",
                mend: .publish(ZoneRecord(name, .txt, .text(strings)), insteadOf: []))
        }
        if let doubled = try? name.below(domain), let found = try dns.policyText(doubled) {
            return moved(.dmarcDoubledName, from: doubled, found)
        }
        if let found = try dns.policyText(domain) {
            return moved(.dmarcApex, from: domain, found)
        }
        if let helo = host.heloDomain, helo.isSubdomain(of: domain),
            let place = try? DomainName.dmarcLabel.below(helo),
            let found = try dns.policyText(place)
        {
            return moved(.dmarcMisplaced, from: place, found)
        }
        return Diagnosis(
            .dmarcMissing, domain.ascii, "there is no DMARC record",
            mend: .publish(
                .text(name, DMARCProposal.first(for: domain, host)), insteadOf: []))
    }
}

extension DNSLookup {
    /// The policy that applies to a domain; nil where there is none.
    func appliedPolicy(_ domain: DomainName) throws(DNSTrouble) -> DMARCAppliedPolicy? {
        dmarc(domain, identifiers: []).deciding?.policy
    }

    /// Evaluates a message from a domain with passing signatures of some domains.
    func dmarc(
        _ domain: DomainName, identifiers: [(domain: DomainName, selector: DomainName)]
    ) -> DMARCEvaluation {
        let field = Array("<postmaster@\(domain.ascii)>".utf8)
        let driver = DMARCDriver(
            DMARCEvaluator(author: AuthorField(parsing: field.span)), resolver: resolver)
        let signatures = identifiers.compactMap {
            DMARCIdentifier.dkim(.pass, domain: $0.domain, selector: $0.selector)
        }
        return driver.finish(signatures, deadline: deadline)
    }

    /// The strings of the first DMARC record at a name, wherever that is.
    fileprivate func policyText(_ name: DomainName) throws(DNSTrouble) -> [[UInt8]]? {
        try texts(name).first { DMARCRecord(parsing: Array($0.joined())) != nil }
    }
}
