internal import MailDNS
internal import MailSyntax

/// Whether all servers of a zone say the same.
enum AuthoritativeChecks {
    /// No zone is asked at more servers.
    private static let mostServers = 16

    /// Asks each authoritative server of a domain for what mail depends on.
    static let agreement = Check.ofDomains(
        "dns.authoritative", fine: "every authoritative server gives the same answers"
    ) { host, dns, domain throws(DNSTrouble) in
        guard let authoritative = host.authoritative else {
            return [
                .skipped(
                    "dns.authoritative", domain.ascii,
                    "whether its name servers agree is not known: only what was given is asked")
            ]
        }
        guard let (_, servers) = try zone(of: domain, dns) else { return [] }
        var findings: [Diagnosis] = []
        var asked: [(server: String, resolver: any DNSResolver)] = []
        for server in servers.prefix(mostServers) {
            let addresses = try dns.addresses(server)
            if addresses.isEmpty {
                findings.append(
                    Diagnosis(
                        .serverUnknown, server.ascii,
                        "the name server of \(domain.ascii) has no address",
                        mend: .words("publish its address, or remove it from the NS records")))
            }
            // One address of a server is enough: the others are the same server's.
            guard let address = addresses.first, let resolver = authoritative(address) else {
                continue
            }
            asked.append(("\(server.ascii) (\(address))", resolver))
        }
        for question in questions(domain, host) {
            findings += compare(question, asked, dns)
        }
        var seen: Set<Diagnosis> = []
        return findings.filter { seen.insert($0).inserted }
    }

    /// What mail of a domain depends on.
    private static func questions(_ domain: DomainName, _ host: HostView) -> [DNSQuestion] {
        var questions = [DNSQuestion(domain, .txt), DNSQuestion(domain, .mx)]
        if let name = try? DomainName.dmarcLabel.below(domain) {
            questions.append(DNSQuestion(name, .txt))
        }
        questions += host.signing.keys(for: domain).compactMap(\.recordName)
            .filter { $0.isSubdomain(of: domain) }.map { DNSQuestion($0, .txt) }
        return questions
    }

    /// The zone that a domain is in, and its servers; nil where none is found.
    private static func zone(
        of domain: DomainName, _ dns: DNSLookup
    ) throws(DNSTrouble) -> (zone: DomainName, servers: [DomainName])? {
        var name: DomainName? = domain
        while let zone = name, zone != .root {
            let servers = try dns.names(zone, .ns)
            if !servers.isEmpty { return (zone, servers.sorted()) }
            name = zone.parent
        }
        return nil
    }

    private static func compare(
        _ question: DNSQuestion, _ servers: [(server: String, resolver: any DNSResolver)],
        _ dns: DNSLookup
    ) -> [Diagnosis] {
        let pending = servers.map { server in
            (server.server, server.resolver.begin(question, deadline: dns.deadline))
        }
        var findings: [Diagnosis] = []
        var answers: [(server: String, records: Set<DNSRecord>)] = []
        for (server, answer) in pending {
            switch answer.wait() {
            case .records(let records, _): answers.append((server, Set(records)))
            case .noData, .nameError: answers.append((server, []))
            case .failure(let failure):
                findings.append(
                    Diagnosis(
                        .serverSilent, server, "the name server does not answer: \(failure)",
                        mend: .words("start it, or remove it from the NS records")))
            }
        }
        guard let first = answers.first,
            let other = answers.first(where: { $0.records != first.records })
        else { return findings }
        findings.append(
            Diagnosis(
                .serversDisagree, question.name.ascii,
                "\(first.server) and \(other.server) give different \(question.type.mnemonic) records",
                mend: .words("have the secondary servers fetch the zone again; is its serial new?"))
        )
        return findings
    }
}
