import Configuration
import DomainKeys
import Glibc
import MailAuth
import MailSyntax
import Threads

/// The keys below KeyDirectory, and for whom they sign.
struct KeyDirectory: Sendable {
    /// The keys that have signed lately.
    let cache: DomainKeyCache
    /// Whether a domain without a folder signs with its nearest parent that has one (SubDomains).
    let withSubdomains: Bool

    /// Whether mail of this domain may be signed here.
    func serves(_ domain: DomainName) -> Bool {
        if case .folder = signer(for: domain) { true } else { false }
    }

    /// The keys for a sender's domain; `reason` is why those that go before signed nothing.
    func keys(for domain: DomainName, after reason: String?) -> KeyBook.Answer {
        let signer: DomainName
        switch self.signer(for: domain) {
        case .folder(let found): signer = found
        case .none:
            let own = "no folder \(domain) in \(cache.tree.root)"
            return .none(reason: reason.map { "\($0), and \(own)" } ?? own)
        case .unreachable(let reason): return .unusable(reason: reason)
        }
        switch cache.keys(for: signer) {
        case .none(let reason): return .none(reason: reason)
        case .fault(let reason): return .unusable(reason: reason)
        case .keys(let keys, let warnings):
            return .keys(
                keys.map { SigningKey(domain: signer, selector: $0.selector, key: $0.key) },
                warnings: warnings)
        }
    }

    /// Whose folder is used for mail of a domain.
    private enum Signer {
        case folder(DomainName)
        case none
        case unreachable(String)
    }

    private func signer(for domain: DomainName) -> Signer {
        var candidate: DomainName? = domain
        while let name = candidate, name.labelCount > 0 {
            switch cache.tree.look(for: name) {
            case .present: return .folder(name)
            case .unreachable(let reason): return .unreachable(reason)
            case .absent: candidate = withSubdomains ? name.parent : nil
            }
        }
        return .none
    }
}

extension KeyDirectory {
    /// The cache of the folder that was configured last: a reload that names it again keeps what was read.
    private static let last = Locked<(place: Place, cache: DomainKeyCache)?>(nil)

    /// Where keys are, and with what care they are read.
    struct Place: Hashable, Sendable {
        let tree: KeyTree
        let requiresSafe: Bool
        let maximumAge: Int64?
    }

    /// The cache for a folder.
    static func cache(
        for place: Place, read: @escaping @Sendable (String) -> DomainKeyCache.Reading
    ) -> DomainKeyCache {
        last.withLock { last in
            if let last, last.place == place { return last.cache }
            let cache = DomainKeyCache(place.tree, read: read)
            last = (place, cache)
            return cache
        }
    }
}
