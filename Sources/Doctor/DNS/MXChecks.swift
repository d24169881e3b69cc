internal import MailDNS
internal import MailSyntax

/// Whether mail to the domains finds its way here (RFC 5321, section 5; RFC 7505).
enum MXChecks {
    /// The mail exchangers of a domain.
    static let exchangers = Check.ofDomains(
        "dns.mx", fine: "mail exchangers can be reached", isInbound: true
    ) {
        host, dns, domain throws(DNSTrouble) in
        let exchangers = try dns.exchangers(domain)
        guard !exchangers.isEmpty else {
            let own = host.heloDomain.map { helo in
                Mend.publish(
                    ZoneRecord(domain, .mx, .mx(preference: 10, exchange: helo)), insteadOf: [])
            }
            let isImplicit = !(try dns.addresses(domain)).isEmpty
            return [
                Diagnosis(
                    isImplicit ? .mxImplicit : .mxMissing, domain.ascii,
                    isImplicit ? "there is no MX record" : "there is neither MX nor address",
                    mend: own)
            ]
        }
        if let null = exchangers.first(where: { $0.exchange == .root }) {
            let record = ZoneRecord(
                domain, .mx, .mx(preference: null.preference, exchange: .root))
            return [
                exchangers.count == 1
                    ? Diagnosis(
                        .mxNull, domain.ascii, "its MX record is null",
                        mend: host.heloDomain.map {
                            .publish(
                                ZoneRecord(domain, .mx, .mx(preference: 10, exchange: $0)),
                                insteadOf: [record])
                        })
                    : Diagnosis(
                        .mxNullAmongOthers, domain.ascii, "a null MX is among its MX records",
                        mend: .withdraw([record]))
            ]
        }
        var findings: [Diagnosis] = []
        var addresses: [IPAddress] = []
        for (preference, exchange) in exchangers {
            let record = ZoneRecord(
                domain, .mx, .mx(preference: preference, exchange: exchange))
            let found = try dns.addresses(exchange)
            addresses += found
            findings += try fault(record, exchange, found, host, dns)
        }
        guard findings.isEmpty, !host.addresses.isEmpty else { return findings }
        guard !addresses.contains(where: host.addresses.contains) else { return [] }
        let names = Shown.list(exchangers.map(\.exchange.ascii))
        return [
            Diagnosis(
                .mxElsewhere, domain.ascii,
                "its mail goes to \(names), none of whose addresses is this host's",
                mend: try host.heloDomain.flatMap { helo throws(DNSTrouble) in
                    try hither(domain, exchangers, helo, host, dns)
                })
        ]
    }

    /// What brings a domain's mail here: this host as its mail exchanger, or, where it is that by name, its address.
    private static func hither(
        _ domain: DomainName, _ exchangers: [(preference: UInt16, exchange: DomainName)],
        _ helo: DomainName, _ host: HostView, _ dns: DNSLookup
    ) throws(DNSTrouble) -> Mend? {
        guard exchangers.contains(where: { $0.exchange == helo }) else {
            return .publish(
                ZoneRecord(domain, .mx, .mx(preference: 10, exchange: helo)),
                insteadOf: exchangers.map {
                    ZoneRecord(domain, .mx, .mx(preference: $0.preference, exchange: $0.exchange))
                })
        }
        guard let own = host.addresses.first else { return nil }
        func record(_ address: IPAddress) -> ZoneRecord {
            ZoneRecord(helo, address.bitWidth == 32 ? .a : .aaaa, .address(address))
        }
        return .publish(
            record(own),
            insteadOf: try dns.addresses(helo).filter { $0.bitWidth == own.bitWidth }.map(record))
    }

    /// What is wrong with one mail exchanger.
    private static func fault(
        _ record: ZoneRecord, _ exchange: DomainName, _ addresses: [IPAddress], _ host: HostView,
        _ dns: DNSLookup
    ) throws(DNSTrouble) -> [Diagnosis] {
        let instead = host.heloDomain.map { helo in
            Mend.publish(
                ZoneRecord(record.owner, .mx, .mx(preference: 10, exchange: helo)),
                insteadOf: [record])
        }
        if IPAddress(exchange.ascii) != nil {
            return [
                Diagnosis(
                    .mxAddressLiteral, record.owner.ascii,
                    "its MX record names the address \(exchange.ascii)", mend: instead)
            ]
        }
        if let target = try dns.alias(exchange) {
            return [
                Diagnosis(
                    .mxAlias, record.owner.ascii,
                    "its mail exchanger \(exchange.ascii) is an alias of \(target.ascii)",
                    mend: .publish(
                        ZoneRecord(record.owner, .mx, .mx(preference: 10, exchange: target)),
                        insteadOf: [record]))
            ]
        }
        guard !addresses.isEmpty else {
            return [
                Diagnosis(
                    .mxNoAddress, record.owner.ascii,
                    "its mail exchanger \(exchange.ascii) has no address", mend: instead)
            ]
        }
        let unusable = addresses.filter { $0.isPrivate && !host.addresses.contains($0) }
        guard let address = unusable.first else { return [] }
        return [
            Diagnosis(
                .mxPrivate, record.owner.ascii,
                "its mail exchanger \(exchange.ascii) has the address \(address)",
                mend: host.addresses.first.map {
                    .publish(
                        ZoneRecord(exchange, $0.bitWidth == 32 ? .a : .aaaa, .address($0)),
                        insteadOf: [
                            ZoneRecord(
                                exchange, address.bitWidth == 32 ? .a : .aaaa, .address(address))
                        ])
                })
        ]
    }
}

extension IPAddress {
    /// Whether the address has a meaning only inside one network or host (RFC 1918, 3927, 4193, 4291, 6598).
    package var isPrivate: Bool {
        let networks = Self.privateNetworks
        return networks.contains { $0.contains(self.unmapped) }
    }

    private static let privateNetworks: [IPNetwork] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10",
    ].compactMap { IPNetwork($0) }
}
