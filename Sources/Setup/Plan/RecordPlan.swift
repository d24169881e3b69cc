internal import MailSyntax
internal import PostfixConfiguration

/// The records that make others trust this host's mail.
struct RecordPlan {
    private let facts: HostFacts
    private let relay: RelayProvider?

    init(_ facts: HostFacts, relay: RelayProvider?) {
        (self.facts, self.relay) = (facts, relay)
    }

    /// All records, the host's first.
    func records(
        _ domains: [DomainName], keys: [SigningPlan.PublishedKey],
        mailbox: (DomainName) -> String
    ) -> [PublishedRecord] {
        hostRecords
            + domains.flatMap { domain in
                records(
                    of: domain, keys: keys.filter { $0.domain == domain }, mailbox: mailbox(domain))
            }
    }

    private var hostRecords: [PublishedRecord] {
        let host = facts.hostName
        guard !facts.addresses.isEmpty else { return [] }
        return facts.addresses.flatMap { address -> [PublishedRecord] in
            let type = if case .v4 = address { "A" } else { "AAAA" }
            return [
                PublishedRecord(host, type, "\(address)", "this host"),
                PublishedRecord(
                    address.reverseName, "PTR", "\(host).",
                    "must equal HELO and banner; set by the provider of the address"),
            ]
        } + [
            PublishedRecord(
                host, "TXT", "v=spf1 a -all", "SPF of the HELO name (RFC 7208, section 2.3)")
        ]
    }

    private func records(
        of domain: DomainName, keys: [SigningPlan.PublishedKey], mailbox: String
    ) -> [PublishedRecord] {
        let name = domain.ascii
        var records = [
            PublishedRecord(name, "MX", "10 \(facts.hostName).", "incoming mail"),
            PublishedRecord(
                name, "TXT", spf, "SPF: who may send; -all once reports show no others"),
        ]
        records += keys.map {
            PublishedRecord(
                "\($0.selector)._domainkey.\(name)", "TXT",
                $0.record ?? "v=DKIM1; p=<the key that --apply makes>", "DKIM: the public key",
                isHint: $0.record == nil)
        }
        records += relay?.records(name) ?? []
        records += [
            PublishedRecord(
                "_dmarc.\(name)", "TXT", "v=DMARC1; p=none; rua=mailto:\(mailbox)",
                "DMARC: reports first, a stricter policy when they are clean"),
            PublishedRecord(
                "_smtp._tls.\(name)", "TXT", "v=TLSRPTv1; rua=mailto:\(mailbox)",
                "TLSRPT: reports of failed encryption (RFC 8460)"),
            PublishedRecord(
                "_mta-sts.\(name)", "TXT", "v=STSv1; id=1",
                "MTA-STS: only with https://mta-sts.\(name)/.well-known/mta-sts.txt (RFC 8461)",
                isHint: true),
        ]
        return records + serviceRecords(name)
    }

    /// How mail programs find this host (RFC 6186, RFC 8314).
    private func serviceRecords(_ domain: String) -> [PublishedRecord] {
        let ports = facts.master.services.filter { $0.type == "inet" && $0.command == "smtpd" }
            .compactMap { $0.name.split(separator: ":").last.map(String.init) }
        let takesTLS = ports.contains { ["submissions", "smtps", "465"].contains($0) }
        let takesSubmission = ports.contains { ["submission", "587"].contains($0) }
        let isKnown = facts.dovecot != nil
        return [
            PublishedRecord(
                "_submissions._tcp.\(domain)", "SRV", "0 1 465 \(facts.hostName).",
                "mail programs: sending over TLS", isHint: !takesTLS && !isKnown),
            PublishedRecord(
                "_submission._tcp.\(domain)", "SRV", "0 1 587 \(facts.hostName).",
                "mail programs: sending with STARTTLS", isHint: !takesSubmission && !isKnown),
            PublishedRecord(
                "_imaps._tcp.\(domain)", "SRV", "0 1 993 \(facts.hostName).",
                "mail programs: reading", isHint: !facts.servesIMAP),
        ]
    }

    /// The SPF record: this host's addresses, or the relay's.
    private var spf: String {
        SPFRecordLine.permitting(
            facts.addresses, includes: [relay?.include].compactMap(\.self))
    }
}
