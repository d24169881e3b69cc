internal import MailDNS
internal import MailSyntax

/// What the resolver is worth, and what leaves the host: the latter only if it is asked for.
enum ResolverChecks {
    /// Whether answers are validated (RFC 4035).
    static let validation = Check.ofHost(
        "dns.resolver", fine: "the resolver's answers can be validated (DNSSEC)", isInbound: true
    ) { host, dns throws(DNSTrouble) in
        guard let rootAnswer = host.rootAnswer else {
            return [
                .skipped(
                    "dns.resolver", "DNSSEC",
                    "answers come from the server or zone that was given, or there is no trust anchor"
                )
            ]
        }
        switch rootAnswer() {
        case .records(_, .secure): return []
        case .records(_, .insecure), .noData, .nameError, .failure(.bogus):
            return [
                Diagnosis(
                    .resolverUnvalidated, "DNSSEC",
                    "the answer for the root zone cannot be validated",
                    mend: .words(
                        "run a validating resolver here, such as unbound, and name 127.0.0.1 in "
                            + "/etc/resolv.conf"))
            ]
        case .failure(let failure):
            return [
                .skipped("dns.resolver", "DNSSEC", "the root zone has no answer: \(failure)")
            ]
        }
    }

    /// Lists of addresses that should not send mail, each with the zone that is asked.
    private static let lists = ["zen.spamhaus.org", "bl.spamcop.net"]

    /// Whether own addresses are on block lists; asked only with `--also blocklists`, since it tells the lists of this host.
    static let blockLists = Check.ofHost(
        "net.blocklist", fine: "no outgoing address is on the block lists asked"
    ) { host, dns throws(DNSTrouble) in
        guard host.asksBlockLists else {
            return [
                .skipped(
                    "net.blocklist", "Block lists",
                    "not asked, since that leaves the host; --also blocklists asks them")
            ]
        }
        var found: [Diagnosis] = []
        for address in host.sendingAddresses {
            for list in lists {
                guard let labels = reversed(address), let zone = try? DomainName(list),
                    let name = try? zone.prepending(labels)
                else { continue }
                let answers = try dns.addresses(name)
                // 127.255.255.0/24 says that the question was not welcome, 127.0.0.0/8 that the address is listed.
                guard let answer = answers.first, answer.isLoopback else { continue }
                if answer.description.hasPrefix("127.255.255.") {
                    found.append(
                        .skipped("net.blocklist", list, "it does not answer this resolver"))
                } else {
                    found.append(
                        Diagnosis(
                            .blockListed, address.description, "it is on \(list) (\(answer))",
                            mend: .words("see why at \(list), mend that, and ask to be taken off")))
                }
            }
        }
        return found
    }

    /// Whether the provider lets mail out: not looked at, since it takes a connection to a stranger.
    static let outwardPort = Check.ofHost("net.port25", fine: "") { _, _ throws(DNSTrouble) in
        [
            .skipped(
                "net.port25", "Port 25 outward",
                "not tried, since that leaves the host; try: nc -zv MAIL-EXCHANGER 25")
        ]
    }

    /// The labels of an address in a block list: those of its reverse name.
    private static func reversed(_ address: IPAddress) -> String? {
        let name = address.reverseName
        for suffix in [".in-addr.arpa", ".ip6.arpa"] where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return nil
    }
}
