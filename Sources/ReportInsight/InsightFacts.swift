package import MailSyntax

/// What is known about addresses beside the reports.
package struct InsightFacts {
    /// The networks of our own hosts.
    package var own: [IPNetwork] = []
    /// The networks that the SPF record of a domain allows.
    package var spf: [String: [IPNetwork]] = [:]
    /// The name of an address that is confirmed by the address of the name; nil where there is none.
    package var name: (IPAddress) -> String? = { _ in nil }

    /// Nothing is known.
    package init() {}

    /// What a source is, and the name that it is grouped under.
    func source(
        _ address: String, of domain: String, authorizedBy spfDomain: String?
    ) -> (kind: SourceKind, name: String) {
        let parsed = IPAddress(address)
        let confirmed = parsed.flatMap { name($0) }
        if let parsed, own.contains(where: { $0.contains(parsed) }) {
            return (.own, confirmed ?? address)
        }
        if let parsed, spf[domain]?.contains(where: { $0.contains(parsed) }) == true {
            return (.spf, confirmed ?? address)
        }
        if let confirmed {
            if let provider = KnownProviders.name(of: confirmed) { return (.provider, provider) }
            return (.host, Self.group(of: confirmed))
        }
        // An SPF record that allows the address says whose host it is, without a question to the DNS.
        if let spfDomain, !spfDomain.isEmpty {
            if let provider = KnownProviders.name(of: spfDomain) { return (.provider, provider) }
            return (.host, spfDomain)
        }
        return (.unknown, address)
    }

    /// Hosts of a farm differ in their first label alone.
    private static func group(of name: String) -> String {
        let labels = name.split(separator: ".")
        return labels.count > 2 ? labels.suffix(2).joined(separator: ".") : name
    }
}
