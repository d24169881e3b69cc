internal import MailAuth
internal import MailSyntax
internal import PostfixConfiguration

/// The DMARC record that a domain should have: the published one with everything mended that one line can mend.
///
/// It is made once, so that all findings about a record propose the same.
struct DMARCProposal {
    /// The record.
    let text: String

    /// Mends the first DMARC record among TXT records; where none is one, a first record is proposed.
    init(_ domain: DomainName, _ published: [[UInt8]], _ host: HostView) {
        guard let first = published.first(where: { DMARCRecord(parsing: $0) != nil }),
            let record = DMARCRecord(parsing: first)
        else {
            text = Self.first(for: domain, host)
            return
        }
        var text = String(decoding: first, as: UTF8.self)
        if record.policy == nil || !Self.brokenPolicies(record).isEmpty {
            text = DMARCText.withPolicies(text)
        }
        for fault in record.faults { text = Self.mended(text, fault) }
        if DMARCText.hasSizeLimit(text) { text = DMARCText.withoutSizeLimits(text) }
        if record.publicSuffix == .yes { text = DMARCText.without(text) { $0 == "psd" } }
        if Self.isTooStrict(record, domain, host) {
            text = DMARCText.without(text) { $0 == "aspf" }
        }
        if Self.lacksReports(record) {
            text = "\(text.trimmingEnd); rua=mailto:\(Self.reportAddress(of: domain, host))"
        }
        self.text = text
    }

    /// The record to begin with.
    static func first(for domain: DomainName, _ host: HostView) -> String {
        "v=DMARC1; p=none; rua=mailto:\(reportAddress(of: domain, host))"
    }

    /// Where reports go: to the alias that setup makes, if it is there, else to the address that every domain has.
    private static func reportAddress(of domain: DomainName, _ host: HostView) -> String {
        let isHere = host.postfix?.values.list("mydestination").contains {
            $0.lowercased() == domain.ascii
        }
        let names = MailAliases(host.tree).entries.map(\.name)
        let alias = "dmarc-reports"
        let local = isHere == true && names.contains(alias) ? alias : "postmaster"
        return "\(local)@\(domain.ascii)"
    }

    private static func mended(_ text: String, _ fault: DMARCRecordFault) -> String {
        switch fault {
        case .unusableURIs: DMARCText.withMailto(text)
        case .malformed(let tag) where policies.contains(tag): text
        case .malformed(let tag), .historic(let tag): DMARCText.without(text) { $0 == tag.rawValue }
        case .repeated(let tag): DMARCText.once(text, tag.rawValue)
        case .unreadable: DMARCText.without(text) { $0.isEmpty }
        }
    }

    // MARK: Faults

    private static let policies: [DMARCTag] = [.p, .sp, .np]

    /// The policies that are none, or that are there twice.
    static func brokenPolicies(_ record: DMARCRecord) -> [DMARCTag] {
        policies.filter {
            record.faults.contains(.malformed($0)) || record.faults.contains(.repeated($0))
        }
    }

    /// The tags that RFC 9989 has removed.
    static func historicTags(_ record: DMARCRecord) -> [String] {
        record.faults.compactMap { fault in
            if case .historic(let tag) = fault { tag.rawValue } else { nil }
        }
    }

    /// Whether nobody is told what fails.
    static func lacksReports(_ record: DMARCRecord) -> Bool {
        record.aggregateReportURIs.isEmpty && !record.faults.contains(.unusableURIs(.rua))
    }

    /// Whether strict alignment hits what this host sends by itself: bounces, whose SPF is that of the HELO name (RFC 7208, section 2.4).
    static func isTooStrict(_ record: DMARCRecord, _ domain: DomainName, _ host: HostView) -> Bool {
        guard record.spfAlignment == .strict, let policy = record.policy, policy > .none,
            host.relayhost == nil, let helo = host.heloDomain, helo != domain,
            host.originDomain == domain, let values = host.postfix?.values
        else { return false }
        let isSigned =
            values.list("internal_mail_filter_classes").contains("bounce")
            && !values.list("non_smtpd_milters").isEmpty
        return !isSigned
    }
}
