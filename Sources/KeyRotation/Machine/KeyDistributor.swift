package import MailSyntax

/// Brings keys to the other hosts that sign.
package protocol KeyDistributor {
    /// Copies the private keys of domains, and how far they are; when it has returned every host has them.
    func distributeKeys(of domains: [DomainName]) throws(MethodFailure)
    /// Copies the lists of the keys that sign for domains; when it has returned no host signs with others.
    func distributeLists(of domains: [DomainName]) throws(MethodFailure)
}

/// Copies once for many domains what the rotation of each would have copied by itself.
///
/// What was copied ahead counts until it is forgotten: no key may be made in between.
package final class BatchedDistributor: KeyDistributor {
    private enum Outcome {
        case copied
        case failed(MethodFailure)
    }

    private let hosts: any KeyDistributor
    private var keys: [DomainName: Outcome] = [:]
    private var lists: [DomainName: Outcome] = [:]

    /// Copies by another distributor.
    package init(_ hosts: any KeyDistributor) { self.hosts = hosts }

    /// Copies the keys of domains ahead; what fails is told to whoever asks for one of them.
    func copyKeysAhead(of domains: [DomainName]) {
        keys = Self.outcomes(domains) { () throws(MethodFailure) in
            try hosts.distributeKeys(of: domains)
        }
    }

    /// Copies the lists of domains ahead, likewise.
    func copyListsAhead(of domains: [DomainName]) {
        lists = Self.outcomes(domains) { () throws(MethodFailure) in
            try hosts.distributeLists(of: domains)
        }
    }

    /// Forgets what was copied ahead.
    func forget() { (keys, lists) = ([:], [:]) }

    private static func outcomes(
        _ domains: [DomainName], _ body: () throws(MethodFailure) -> Void
    ) -> [DomainName: Outcome] {
        guard !domains.isEmpty else { return [:] }
        var outcome = Outcome.copied
        do throws(MethodFailure) { try body() } catch { outcome = .failed(error) }
        return Dictionary(domains.map { ($0, outcome) }, uniquingKeysWith: { $1 })
    }

    package func distributeKeys(of domains: [DomainName]) throws(MethodFailure) {
        let missing = try Self.missing(domains, keys)
        if !missing.isEmpty { try hosts.distributeKeys(of: missing) }
    }

    package func distributeLists(of domains: [DomainName]) throws(MethodFailure) {
        let missing = try Self.missing(domains, lists)
        if !missing.isEmpty { try hosts.distributeLists(of: missing) }
    }

    private static func missing(
        _ domains: [DomainName], _ outcomes: [DomainName: Outcome]
    ) throws(MethodFailure) -> [DomainName] {
        for domain in domains {
            if case .failed(let failure)? = outcomes[domain] { throw failure }
        }
        return domains.filter { outcomes[$0] == nil }
    }
}
