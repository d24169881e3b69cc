internal import PostfixConfiguration

/// A relay that signs for its customers: then this host makes no signature, and the relay's records are published.
struct RelayProvider: Hashable, Sendable {
    /// What it is called.
    let name: String
    /// What its SPF record is included by; nil where it needs none in the From domain.
    let include: String?
    /// Its DKIM records, `NAME TYPE VALUE`, in which `DOMAIN` stands for the domain and `<…>` for what its pages show.
    let records: [String]

    /// The relays that are known, one a line: the end of their host names, name, SPF, and records separated by `;`.
    private static let table = """
        smtp.sendgrid.net | SendGrid | - | s1._domainkey CNAME s1.domainkey.<account>.sendgrid.net. ; s2._domainkey CNAME s2.domainkey.<account>.sendgrid.net. ; <em> CNAME <account>.sendgrid.net.
        amazonaws.com | Amazon SES | amazonses.com | <token1>._domainkey CNAME <token1>.dkim.amazonses.com. ; <token2>._domainkey CNAME <token2>.dkim.amazonses.com. ; <token3>._domainkey CNAME <token3>.dkim.amazonses.com.
        mailgun.org | Mailgun | mailgun.org | <selector>._domainkey TXT <key>
        postmarkapp.com | Postmark | spf.mtasv.net | <selector>._domainkey TXT <key> ; pm-bounces CNAME pm.mtasv.net.
        mailjet.com | Mailjet | spf.mailjet.com | mailjet._domainkey TXT <key>
        mandrillapp.com | Mandrill | spf.mandrillapp.com | mte1._domainkey CNAME dkim1.mandrillapp.com. ; mte2._domainkey CNAME dkim2.mandrillapp.com.
        protection.outlook.com | Microsoft 365 | spf.protection.outlook.com | selector1._domainkey CNAME <target1> ; selector2._domainkey CNAME <target2>
        smtp.office365.com | Microsoft 365 | spf.protection.outlook.com | selector1._domainkey CNAME <target1> ; selector2._domainkey CNAME <target2>
        smtp-relay.gmail.com | Google Workspace | _spf.google.com | google._domainkey TXT <key>
        smtp-relay.brevo.com | Brevo | spf.brevo.com | <selector1>._domainkey CNAME <target1> ; <selector2>._domainkey CNAME <target2>
        """

    /// The relay that signs in this host's stead; nil where this host signs.
    static func of(_ facts: HostFacts, _ signer: SetupRequest.Signer) -> RelayProvider? {
        guard signer != .here else { return nil }
        let host = host(of: facts.values["relayhost"] ?? "")
        if let known = known(host) { return known }
        guard signer == .relay else { return nil }
        return RelayProvider(name: host.isEmpty ? "the relay" : host, include: nil, records: [])
    }

    /// A relay by its host name.
    static func known(_ host: String) -> RelayProvider? {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: "|").map { trimmed($0) }
            guard fields.count == 4, host == fields[0] || host.hasSuffix(".\(fields[0])") else {
                continue
            }
            return RelayProvider(
                name: fields[1], include: fields[2] == "-" ? nil : fields[2],
                records: fields[3].split(separator: ";").map { trimmed($0) })
        }
        return nil
    }

    /// The host of `relayhost`: without brackets, port and transport.
    private static func host(of relay: String) -> String {
        let bare = relay.drop { $0 == "[" }
        return bare.prefix { $0 != "]" && $0 != ":" }.lowercased()
    }

    private static func trimmed(_ text: Substring) -> String {
        text.split(separator: " ").joined(separator: " ")
    }

    /// The records for a domain; what only the relay's own pages can tell is a hint.
    func records(_ domain: String) -> [PublishedRecord] {
        records.compactMap { record in
            let fields = record.split(separator: " ", maxSplits: 2).map(String.init)
            guard fields.count == 3 else { return nil }
            return PublishedRecord(
                "\(fields[0]).\(domain)", fields[1], fields[2],
                "DKIM of \(name): take the parts in <> from its pages", isHint: record.contains("<")
            )
        }
    }

    /// What the postmaster is told.
    var note: String {
        "\(name) signs the mail that it relays, so no key is made here; "
            + "use --signer here to sign on this host as well"
    }
}
