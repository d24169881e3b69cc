internal import MailDNS
internal import MailSyntax
internal import PostfixConfiguration

/// Whether the host's names and addresses fit together, as receivers compare them.
enum HostNameChecks {
    /// The HELO name and the greeting.
    static let helo = Check.ofHost("dns.host", fine: "the HELO name is this host's") {
        host, dns throws(DNSTrouble) in
        guard let text = host.heloName else {
            return [
                .skipped("dns.host", "this host", "its name is not known; give --helo")
            ]
        }
        guard let name = host.heloDomain else {
            return [
                Diagnosis(
                    .heloUnqualified, Shown.text(text), "the HELO name is no full host name",
                    mend: mendOfName(host))
            ]
        }
        var findings: [Diagnosis] = []
        if let banner = host.bannerName, banner.lowercased() != name.ascii {
            findings.append(
                Diagnosis(
                    .bannerMismatch, Shown.text(text),
                    "the greeting gives the name \(Shown.text(banner))",
                    mend: .parameter("smtpd_banner", "$myhostname ESMTP $mail_name")))
        }
        if let target = try dns.alias(name) {
            findings.append(
                Diagnosis(
                    .heloAlias, name.ascii, "it is an alias of \(target.ascii)",
                    mend: .parameter("myhostname", target.ascii)))
        }
        let found = try dns.addresses(name)
        let own = host.sendingAddresses
        if found.isEmpty {
            return findings + [
                Diagnosis(
                    .heloNoAddress, name.ascii, "the HELO name has no address",
                    mend: own.first.map { .publish(.address(name, $0), insteadOf: []) })
            ]
        }
        if !own.isEmpty, !own.contains(where: found.contains) {
            findings.append(
                Diagnosis(
                    .heloElsewhere, name.ascii,
                    "the HELO name has the address \(found[0]), which is not this host's",
                    mend: own.first.map {
                        .publish(.address(name, $0), insteadOf: [.address(name, found[0])])
                    }))
        }
        return findings
    }

    /// The setting that gives HELO a full name.
    private static func mendOfName(_ host: HostView) -> Mend? {
        if host.postfix?.main.setting("smtp_helo_name") != nil {
            return .parameter("smtp_helo_name", nil)
        }
        return host.domains.first.map { .parameter("myhostname", "mail.\($0.ascii)") }
    }

    /// The names of the addresses.
    static let pointers = Check.ofHost(
        "dns.ptr", fine: "every outgoing address has the HELO name, which leads back to it"
    ) { host, dns throws(DNSTrouble) in
        guard !host.sendingAddresses.isEmpty else {
            return [
                .skipped(
                    "dns.ptr", host.heloName ?? "this host",
                    host.relayhost == nil
                        ? "no public address of this host is known; give --address"
                        : "mail leaves through a relay, whose names count")
            ]
        }
        var findings: [Diagnosis] = []
        for address in host.sendingAddresses {
            findings += try pointer(of: address, host, dns)
        }
        return findings
    }

    private static func pointer(
        of address: IPAddress, _ host: HostView, _ dns: DNSLookup
    ) throws(DNSTrouble) -> [Diagnosis] {
        guard let reverse = try? DomainName(address.reverseName) else { return [] }
        let names = try dns.names(reverse, .ptr)
        let subject = address.description
        let right = host.heloDomain.map { ZoneRecord(reverse, .ptr, .name($0)) }
        func mend(_ others: [ZoneRecord]) -> Mend? {
            right.map { .publish($0, insteadOf: others) }
        }
        guard !names.isEmpty else {
            return [
                Diagnosis(
                    .pointerMissing, subject, "the address has no name (PTR)", mend: mend([]))
            ]
        }
        var confirmed: [DomainName] = []
        for name in names where try dns.addresses(name).contains(address) {
            confirmed.append(name)
        }
        let published = names.map { ZoneRecord(reverse, .ptr, .name($0)) }
        guard let first = confirmed.first else {
            // That the HELO name has no address is said by itself.
            if let helo = host.heloDomain, names.contains(helo),
                try dns.addresses(helo).isEmpty
            {
                return []
            }
            return [
                Diagnosis(
                    .pointerUnconfirmed, subject,
                    "its name \(names[0].ascii) does not lead back to it",
                    mend: mend(published)
                        ?? .publish(.address(names[0], address), insteadOf: []))
            ]
        }
        guard let helo = host.heloDomain, !confirmed.contains(helo) else { return [] }
        // A HELO name without an address, or with another host's, is said by itself.
        let found = try dns.addresses(helo)
        guard host.sendingAddresses.contains(where: found.contains) else { return [] }
        return [
            Diagnosis(
                .pointerOther, subject,
                "its name is \(first.ascii), and HELO gives \(helo.ascii)", mend: mend(published))
        ]
    }
}

extension ZoneRecord {
    /// An address record.
    static func address(_ owner: DomainName, _ address: IPAddress) -> ZoneRecord {
        ZoneRecord(owner, address.bitWidth == 32 ? .a : .aaaa, .address(address))
    }
}
