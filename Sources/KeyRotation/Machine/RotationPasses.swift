package import MailSyntax

/// Which steps are taken, where those of many domains are taken side by side.
package enum RotationPass: Sendable {
    /// Every one, for one domain by itself.
    case all
    /// Those before which nothing is copied to other hosts.
    case local
    /// Those before which every host has the keys: their records are published, and they begin to sign.
    case keys
    /// Those that tell every host what signs no more.
    case lists

    /// Whether it comes before the others.
    var isFirst: Bool { self == .all || self == .local }

    /// Whether a step belongs to it; `asked` are the keys that were looked for in the DNS by an earlier pass.
    func takes(_ step: RotationStep, _ asked: Set<DomainName>) -> Bool {
        switch (self, step) {
        case (.all, _), (.lists, .announce), (.keys, .publish), (.keys, .begin): true
        case (.local, .publish), (.local, .begin), (.local, .announce): false
        case (.local, _): true
        case (.keys, .observe(let selector)): !asked.contains(selector)
        case (.keys, _), (.lists, _): false
        }
    }
}

/// Takes the steps of many domains side by side, so that other hosts are copied to a few times and not a few times for each.
///
/// The order that keeps every host able to sign is that of one domain: a key is on every host before its record is published and
/// before it signs anywhere.
package struct RotationPasses {
    private let rotator: KeyRotator
    private let hosts: BatchedDistributor

    /// Passes over the domains of a rotator whose distributor is `hosts`.
    package init(_ rotator: KeyRotator, _ hosts: BatchedDistributor) {
        (self.rotator, self.hosts) = (rotator, hosts)
    }

    /// Takes every step that can be taken now.
    ///
    /// - Parameters:
    ///   - domains: the domains.
    ///   - first: takes the steps of the pass `local` of a domain.
    /// - Returns: what became of each, in order.
    package func run(
        _ domains: [DomainName],
        first: (DomainName) throws(RotationFailure) -> DomainRotation
    ) -> [(domain: DomainName, result: Result<DomainRotation, RotationFailure>)] {
        defer { hosts.forget() }
        var results = domains.map { domain in
            (
                domain: domain,
                result: Result { () throws(RotationFailure) in try first(domain) }
            )
        }
        for pass in [RotationPass.keys, .lists] {
            let due = results.indices.filter { index in
                guard case .success(let state) = results[index].result else { return false }
                return state.steps(at: rotator.now(), rotator.policy).contains {
                    pass.takes($0, Set(state.keys.map(\.selector)))
                }
            }
            hosts.forget()
            let names = due.map { results[$0].domain }
            if pass == .keys {
                hosts.copyKeysAhead(of: names)
            } else {
                hosts.copyListsAhead(of: names)
            }
            for index in due {
                let domain = results[index].domain
                results[index].result = Result { () throws(RotationFailure) in
                    try rotator.advance(domain, pass)
                }
            }
        }
        return results
    }
}
