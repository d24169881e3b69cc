internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import PostfixConfiguration

/// What the DMARC records of the domains say, and whether they are where receivers look (RFC 9989).
enum DMARCChecks {
    /// The record that applies to the domain.
    static let record = Check.ofDomains("dns.dmarc", fine: "a DMARC record applies") {
        host, dns, domain throws(DNSTrouble) in
        guard let name = try? DomainName.dmarcLabel.below(domain) else { return [] }
        let texts = try dns.texts(name)
        if !texts.isEmpty {
            let check = DMARCRecordCheck(domain: domain, name: name, texts: texts, dns: dns)
            return try check.findings() + check.strictness(host)
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
            return [.skipped("dns.dmarc.alignment", domain.ascii, "no key is known that signs")]
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
                .text(name, "v=DMARC1; p=none; rua=mailto:postmaster@\(domain.ascii)"),
                insteadOf: []))
    }
}

/// Looks into what is published at the `_dmarc` name of a domain.
struct DMARCRecordCheck {
    /// Whose record it is.
    let domain: DomainName
    /// Where it is.
    let name: DomainName
    /// All TXT records there.
    let texts: [[[UInt8]]]
    /// Asks the DNS.
    let dns: DNSLookup

    /// What is wrong with it.
    func findings() throws(DNSTrouble) -> [Diagnosis] {
        let octets = texts.map { Array($0.joined()) }
        let records = octets.filter { DMARCRecord(parsing: $0) != nil }
        guard let first = records.first, let record = DMARCRecord(parsing: first) else {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii,
                    "what is published there is no DMARC record: \"\(Shown.text(octets[0]))\"",
                    mend: publish("v=DMARC1; p=none; rua=mailto:postmaster@\(domain.ascii)"))
            ]
        }
        guard records.count == 1 else {
            return [
                Diagnosis(
                    .dmarcSeveral, domain.ascii, "there are \(records.count) DMARC records",
                    mend: publish(String(decoding: first, as: UTF8.self)))
            ]
        }
        var findings: [Diagnosis] = []
        if texts.count > 1 {
            let strays = texts.filter { Array($0.joined()) != first }
            findings.append(
                Diagnosis(
                    .dmarcStray, name.ascii, "there are other TXT records beside it",
                    mend: .withdraw(ZoneRecord.texts(name, strays))))
        }
        let text = String(decoding: first, as: UTF8.self)
        findings += syntax(record, text) + obsolete(record, text)
        if record.publicSuffix == .yes {
            findings.append(
                Diagnosis(
                    .dmarcPublicSuffix, domain.ascii, "the record has psd=y",
                    mend: publish(DMARCText.without(text) { $0 == "psd" })))
        }
        return try findings + reports(record, text)
    }

    private func syntax(_ record: DMARCRecord, _ text: String) -> [Diagnosis] {
        let policies: [DMARCTag] = [.p, .sp, .np]
        let broken = policies.filter {
            record.faults.contains(.malformed($0)) || record.faults.contains(.repeated($0))
        }
        if let tag = broken.first {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii,
                    "\(tag.rawValue)= is neither none, quarantine nor reject, or is there twice",
                    mend: publish(DMARCText.withPolicies(text)))
            ]
        }
        if record.policy == nil {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii, "the record has no p=",
                    mend: publish(DMARCText.withPolicies(text)))
            ]
        }
        return record.faults.compactMap { fault in
            switch fault {
            case .unusableURIs(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii,
                    "\(tag.rawValue)= has an address that is no mailto: URI",
                    mend: publish(DMARCText.withMailto(text)))
            case .malformed(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii, "\(tag.rawValue)= cannot be read",
                    mend: publish(DMARCText.without(text) { $0 == tag.rawValue }))
            case .repeated(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii, "\(tag.rawValue)= is there twice",
                    mend: publish(DMARCText.once(text, tag.rawValue)))
            case .unreadable:
                Diagnosis(
                    .dmarcTag, domain.ascii, "part of the record is no tag",
                    mend: publish(DMARCText.without(text) { $0.isEmpty }))
            case .historic: nil
            }
        }
    }

    private func obsolete(_ record: DMARCRecord, _ text: String) -> [Diagnosis] {
        let tags = record.faults.compactMap { fault in
            if case .historic(let tag) = fault { tag.rawValue } else { nil }
        }
        let sizes = DMARCText.hasSizeLimit(text)
        guard !tags.isEmpty || sizes else { return [] }
        let names = tags.map { "\($0)=" } + (sizes ? ["the size limit after \"!\""] : [])
        return [
            Diagnosis(
                .dmarcObsolete, domain.ascii, "the record has \(Shown.list(names))",
                mend: publish(
                    DMARCText.withoutSizeLimits(DMARCText.without(text) { tags.contains($0) })))
        ]
    }

    private func reports(_ record: DMARCRecord, _ text: String) throws(DNSTrouble) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        if record.aggregateReportURIs.isEmpty, !record.faults.contains(.unusableURIs(.rua)) {
            let with = text.trimmingEnd + "; rua=mailto:postmaster@\(domain.ascii)"
            findings.append(
                Diagnosis(
                    .dmarcNoReports, domain.ascii, "the record has no rua=", mend: publish(with)))
        }
        var hosts: [DomainName] = []
        let addresses =
            record.aggregateReportURIs.map { ($0, DMARCReportAuthorization.Kind.aggregate) }
            + record.failureReportURIs.map { ($0, .failure) }
        for (uri, kind) in addresses {
            guard let host = uri.mailbox?.domain, !hosts.contains(host) else { continue }
            hosts.append(host)
            findings += try destination(uri, host, kind)
        }
        return findings
    }

    /// Whether reports may be sent to an address, and can be.
    private func destination(
        _ uri: DMARCReportURI, _ host: DomainName, _ kind: DMARCReportAuthorization.Kind
    ) throws(DNSTrouble) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        let authorization = DMARCReportAuthorization(
            of: uri, about: domain, kind: kind, options: DMARCOptions(), resolver: dns.resolver,
            deadline: dns.deadline)
        if case .refused(let reason) = authorization {
            let place = (try? host.prepending("_report._dmarc")).flatMap { try? domain.below($0) }
            findings.append(
                Diagnosis(
                    .dmarcUnauthorized, domain.ascii,
                    "reports are to go to \(Shown.text(uri.text)): \(reason)",
                    mend: place.map { .publish(.text($0, "v=DMARC1"), insteadOf: []) }))
        }
        // Of the domain itself the check of its MX records says it.
        guard host != domain else { return findings }
        let exchangers = try dns.exchangers(host)
        let isNull = exchangers.first?.exchange == .root && exchangers.count == 1
        let addresses = exchangers.isEmpty ? try dns.addresses(host) : []
        if isNull || (exchangers.isEmpty && addresses.isEmpty) {
            findings.append(
                Diagnosis(
                    .dmarcReportHost, domain.ascii,
                    "reports are to go to \(Shown.text(uri.text)), and \(host.ascii) takes no mail",
                    mend: .words("name an address whose domain has an MX record")))
        }
        return findings
    }

    /// Whether strict alignment hits what this host sends by itself: bounces, whose SPF is that of the HELO name (RFC 7208, section 2.4).
    func strictness(_ host: HostView) -> [Diagnosis] {
        let octets = texts.map { Array($0.joined()) }.filter { DMARCRecord(parsing: $0) != nil }
        guard octets.count == 1, let record = DMARCRecord(parsing: octets[0]),
            record.spfAlignment == .strict, let policy = record.policy, policy > .none,
            host.relayhost == nil, let helo = host.heloDomain, helo != domain,
            host.originDomain == domain, let values = host.postfix?.values
        else { return [] }
        let isSigned =
            values.list("internal_mail_filter_classes").contains("bounce")
            && !values.list("non_smtpd_milters").isEmpty
        guard !isSigned else { return [] }
        let text = String(decoding: octets[0], as: UTF8.self)
        return [
            Diagnosis(
                .dmarcStrict, domain.ascii,
                "the record has aspf=s, and bounces of this host are from \(domain.ascii), unsigned, with "
                    + "HELO \(helo.ascii)",
                mend: publish(DMARCText.without(text) { $0 == "aspf" }))
        ]
    }

    private func publish(_ text: String) -> Mend {
        .publish(.text(name, text), insteadOf: ZoneRecord.texts(name, texts))
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
