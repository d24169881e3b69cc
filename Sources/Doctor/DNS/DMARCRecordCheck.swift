internal import MailAuth
internal import MailDNS
internal import MailSyntax

/// Looks into what is published at the `_dmarc` name of a domain.
struct DMARCRecordCheck {
    private let domain: DomainName
    private let name: DomainName
    private let texts: [[[UInt8]]]
    private let host: HostView
    private let dns: DNSLookup
    /// What is proposed in the place of all that is there.
    private let proposal: DMARCProposal

    /// Looks at a record.
    ///
    /// - Parameters:
    ///   - domain: whose record it is.
    ///   - name: where it is.
    ///   - texts: all TXT records there.
    ///   - host: the host that sends.
    ///   - dns: asks the DNS.
    init(
        _ domain: DomainName, _ name: DomainName, texts: [[[UInt8]]], _ host: HostView,
        _ dns: DNSLookup
    ) {
        (self.domain, self.name, self.texts) = (domain, name, texts)
        (self.host, self.dns) = (host, dns)
        proposal = DMARCProposal(domain, texts.map { Array($0.joined()) }, host)
    }

    /// What is wrong with it.
    func findings() throws(DNSTrouble) -> [Diagnosis] {
        let octets = texts.map { Array($0.joined()) }
        let records = octets.filter { DMARCRecord(parsing: $0) != nil }
        guard let first = records.first, let record = DMARCRecord(parsing: first) else {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii,
                    "what is published there is no DMARC record: \"\(Shown.text(octets[0]))\"",
                    mend: publish)
            ]
        }
        guard records.count == 1 else {
            return [
                Diagnosis(
                    .dmarcSeveral, domain.ascii, "there are \(records.count) DMARC records",
                    mend: publish)
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
        findings += syntax(record) + obsolete(record, String(decoding: first, as: UTF8.self))
        if record.publicSuffix == .yes {
            findings.append(
                Diagnosis(
                    .dmarcPublicSuffix, domain.ascii, "the record has psd=y",
                    mend: publish))
        }
        return try findings + reports(record) + strictness(record)
    }

    private func syntax(_ record: DMARCRecord) -> [Diagnosis] {
        if let tag = DMARCProposal.brokenPolicies(record).first {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii,
                    "\(tag.rawValue)= is neither none, quarantine nor reject, or is there twice",
                    mend: publish)
            ]
        }
        if record.policy == nil {
            return [
                Diagnosis(
                    .dmarcSyntax, domain.ascii, "the record has no p=", mend: publish)
            ]
        }
        return record.faults.compactMap { fault in
            switch fault {
            case .unusableURIs(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii,
                    "\(tag.rawValue)= has an address that is no mailto: URI",
                    mend: publish)
            case .malformed(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii, "\(tag.rawValue)= cannot be read", mend: publish)
            case .repeated(let tag):
                Diagnosis(
                    .dmarcTag, domain.ascii, "\(tag.rawValue)= is there twice", mend: publish)
            case .unreadable:
                Diagnosis(
                    .dmarcTag, domain.ascii, "part of the record is no tag", mend: publish)
            case .historic: nil
            }
        }
    }

    private func obsolete(_ record: DMARCRecord, _ text: String) -> [Diagnosis] {
        let tags = DMARCProposal.historicTags(record)
        let sizes = DMARCText.hasSizeLimit(text)
        guard !tags.isEmpty || sizes else { return [] }
        let names = tags.map { "\($0)=" } + (sizes ? ["the size limit after \"!\""] : [])
        return [
            Diagnosis(
                .dmarcObsolete, domain.ascii, "the record has \(Shown.list(names))",
                mend: publish)
        ]
    }

    private func reports(_ record: DMARCRecord) throws(DNSTrouble) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        if DMARCProposal.lacksReports(record) {
            findings.append(
                Diagnosis(.dmarcNoReports, domain.ascii, "the record has no rua=", mend: publish))
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

    /// Whether strict alignment hits what this host sends by itself.
    private func strictness(_ record: DMARCRecord) -> [Diagnosis] {
        guard DMARCProposal.isTooStrict(record, domain, host), let helo = host.heloDomain else {
            return []
        }
        return [
            Diagnosis(
                .dmarcStrict, domain.ascii,
                "the record has aspf=s, and bounces of this host are from \(domain.ascii), unsigned, with "
                    + "HELO \(helo.ascii)", mend: publish)
        ]
    }

    private var publish: Mend {
        .publish(.text(name, proposal.text), insteadOf: ZoneRecord.texts(name, texts))
    }
}
