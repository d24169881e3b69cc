internal import MailDNS
internal import MailSyntax

/// The records by which mail programs find a domain's servers (RFC 6186; RFC 8314, section 5.1), where there are any.
enum ServiceChecks {
    /// The services and their ports.
    private static let services: [(label: String, port: UInt16, way: String)] = [
        ("_submissions._tcp", 465, "TLS from the start"), ("_submission._tcp", 587, "STARTTLS"),
        ("_imaps._tcp", 993, "TLS from the start"), ("_imap._tcp", 143, "STARTTLS"),
        ("_pop3s._tcp", 995, "TLS from the start"), ("_pop3._tcp", 110, "STARTTLS"),
    ]
    /// The most records of a service that are looked at.
    private static let most = 20
    /// What listens at ports that are somebody else's: any other number may be right.
    private static let taken: [UInt16: String] = [
        25: "other servers deliver", 465: "submissions", 587: "submission", 993: "imaps",
        143: "imap", 995: "pop3s", 110: "pop3",
    ]

    /// Whether each leads to a host, and to a port where that service can be.
    static let records = Check.ofDomains(
        "dns.srv", fine: "no fault in the records of mail services", isInbound: true
    ) { host, dns, domain throws(DNSTrouble) in
        var findings: [Diagnosis] = []
        for (label, port, way) in services {
            guard let name = try? domain.prepending(label) else { continue }
            for case .srv(let priority, let weight, let given, let target) in try dns.records(
                name, .srv
            ).prefix(most) where target != .root {
                func record(_ port: UInt16, _ target: DomainName) -> ZoneRecord {
                    ZoneRecord(
                        name, .srv,
                        .srv(priority: priority, weight: weight, port: port, target: target))
                }
                let old = record(given, target)
                if given != port, let other = taken[given] {
                    findings.append(
                        Diagnosis(
                            .servicePort, name.ascii,
                            "it names port \(given), where \(phrase(other)); programs expect \(way), which is at "
                                + "port \(port)",
                            mend: .publish(record(port, target), insteadOf: [old])))
                    continue
                }
                if let words = try fault(target, dns) {
                    findings.append(
                        Diagnosis(
                            .serviceTarget, name.ascii, words,
                            mend: host.heloDomain.map {
                                .publish(record(given, $0), insteadOf: [old])
                            } ?? .words("name a host that has an address")))
                }
            }
        }
        return findings
    }

    private static func phrase(_ use: String) -> String {
        use.contains(" ") ? use : "\(use) is"
    }

    /// What is wrong with the host that a record names; nil where nothing is.
    private static func fault(
        _ target: DomainName, _ dns: DNSLookup
    ) throws(DNSTrouble) -> String? {
        if try dns.alias(target) != nil { return "\(target.ascii) is an alias" }
        return try dns.addresses(target).isEmpty ? "\(target.ascii) has no address" : nil
    }
}
