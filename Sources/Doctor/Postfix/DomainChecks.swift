internal import MailSyntax
internal import PostfixConfiguration

/// Whether every domain whose users are here has a key.
enum DomainChecks {
    /// The domains that were asked about, and those that receive mail here.
    static let signed = Check.ofPostfix(
        "dkim.domain", fine: "every domain that receives mail here has a key"
    ) { host, postfix in
        let reason: String? =
            host.relayhost != nil
            ? "mail leaves through a relay, which may sign for every domain"
            : host.isSignedByOther
                ? "for which domains the other program has keys is not known"
                : host.signing.source == nil ? "nothing signs here, so no domain has a key" : nil
        if let reason { return [.skipped("dkim.domain", "Postfix", reason)] }
        let asked = host.domains.filter { host.signing.keys(for: $0).isEmpty }
            .map { Unsigned.finding($0, host) }
        let received = received(postfix, host).filter {
            !host.domains.contains($0.domain) && host.signing.keys(for: $0.domain).isEmpty
        }
        return asked
            + received.map { domain, parameter in
                Diagnosis(
                    .receivingUnsigned, domain.ascii,
                    "it is in \(parameter), and no key signs for it",
                    mend: Unsigned.mend(domain, host))
            }
    }

    /// The domains that Postfix delivers here, without the host's own names.
    static func received(
        _ postfix: PostfixView, _ host: HostView
    ) -> [(domain: DomainName, parameter: String)] {
        let values = postfix.values
        let own = Set(
            [values["myhostname"], host.heloName, "localhost"].compactMap { $0?.lowercased() })
        var seen: Set<DomainName> = []
        var found: [(domain: DomainName, parameter: String)] = []
        for parameter in ["mydestination", "virtual_mailbox_domains", "virtual_alias_domains"] {
            let names = values.list(parameter).flatMap { item -> [String] in
                guard item.contains(":"), let tree = host.tree else { return [item] }
                // In virtual_alias_maps addresses stand beside domains.
                return PostfixTable.rules(item, tree).map(\.key).filter { !$0.contains("@") }
            }
            for name in names {
                guard let domain = try? DomainName(name), domain.isHostName,
                    domain.labelCount > 1, !own.contains(domain.ascii),
                    !domain.ascii.hasPrefix("localhost."), seen.insert(domain).inserted
                else { continue }
                found.append((domain, parameter))
            }
        }
        return found
    }
}

extension HostView {
    /// Whether another program's signer is in a list of milters, and ours in none.
    var isSignedByOther: Bool {
        guard let postfix else { return false }
        let milters = MilterChain.all(postfix, suite).flatMap(\.milters)
        return milters.contains { $0.role == .otherSigner }
            && !milters.contains { $0.isOurs("dkim") }
    }
}
