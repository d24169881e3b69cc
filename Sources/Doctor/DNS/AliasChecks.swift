internal import MailDNS
internal import MailSyntax

/// Aliases where none belong.
enum AliasChecks {
    /// Whether the domain has records of its own.
    static let domain = Check.ofDomains("dns.alias", fine: "the domain is no alias") {
        _, dns, domain throws(DNSTrouble) in
        guard let target = try dns.alias(domain) else { return [] }
        return [
            Diagnosis(
                .aliasDomain, domain.ascii, "it is an alias (CNAME) of \(target.ascii)",
                mend: .words("give it the address records of \(target.ascii) instead of the alias"))
        ]
    }
}
