import Configuration
import DomainKeys
import MailAuth
import MailCrypto
import MailSyntax

/// A key that signs for one of our domains, as far as the configuration names both.
struct WatchedKey: Hashable, Sendable {
    /// The signature's d=.
    let domain: DomainName
    /// The signature's s=.
    let selector: DomainName
    /// The public half, as a record has it; empty where the private key cannot be used.
    let publicKey: [UInt8]
    /// The file of the private key, where it is known.
    let file: String?
}

extension KeyBook {
    /// The most keys that are watched.
    private static let mostWatched = 200

    /// The keys of the domains that the configuration names, in order; those alone that come first where
    /// there are very many.
    var watched: [WatchedKey] {
        var keys: [WatchedKey] = []
        switch plan {
        case .nothing: break
        case .domains(let set, _, let named):
            for entry in set.entries.prefix(Self.mostWatched) {
                guard let domain = try? DomainName(entry.key), domain.isHostName else { continue }
                keys += named.map { watched($0, of: $0.domain ?? domain) }
            }
        case .tables(_, let named):
            for name in named.keys.sorted().prefix(Self.mostWatched) {
                for key in named[name] ?? [] {
                    guard let domain = key.domain else { continue }
                    keys.append(watched(key, of: domain))
                }
            }
        }
        for domain in (directory?.cache.tree.domains()?.domains ?? []).prefix(Self.mostWatched) {
            guard case .keys(let found, _)? = directory?.cache.keys(for: domain) else { continue }
            keys += found.map { key in
                WatchedKey(
                    domain: domain, selector: key.selector,
                    publicKey: key.key.publicKey.recordOctets,
                    file: directory?.cache.tree.keyFile(key.selector, of: domain))
            }
        }
        // One sample for each name.
        var seen: Set<DKIMKeyName> = []
        let first = keys.filter {
            seen.insert(DKIMKeyName(domain: $0.domain, selector: $0.selector)).inserted
        }
        return Array(first.prefix(Self.mostWatched))
    }

    private func watched(_ key: NamedKey, of domain: DomainName) -> WatchedKey {
        var octets: [UInt8] = []
        if case .key(let privateKey) = vault.load(key.source, for: domain) {
            octets = privateKey.publicKey.recordOctets
        }
        let file = key.file?.split(separator: "%", omittingEmptySubsequences: false)
            .joined(separator: domain.ascii)
        return WatchedKey(domain: domain, selector: key.selector, publicKey: octets, file: file)
    }
}

/// Where the record of a key stands.
private struct DKIMKeyName: Hashable {
    let domain: DomainName
    let selector: DomainName
}
