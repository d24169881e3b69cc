import Configuration
import MailAuth
import MailCrypto
import MailSyntax

/// Which private keys sign for which sender: Domain with its one or two keys, or SigningTable with KeyTable; where
/// these have none for a sender, those in KeyDirectory.
///
/// Immutable; a reload makes a new one.
struct KeyBook: Sendable {
    /// Where a sender's keys are found.
    enum Plan: Sendable {
        /// There are no keys: everything is verified.
        case nothing
        /// The senders' domains are listed, and the same keys sign for all (Domain, Selector, KeyFile).
        case domains(DataSet, withSubdomains: Bool, [NamedKey])
        /// Addresses lead to names of keys, and names to keys (SigningTable, KeyTable and KeyTableEd25519).
        case tables(SigningTable, keys: [String: [NamedKey]])
    }

    /// The keys for one sender, or why there are none.
    enum Answer: Sendable {
        /// These sign, in this order; the warnings are for the log.
        case keys([SigningKey], warnings: [String])
        /// No key is meant for this sender; the reason in the words of the log.
        case none(reason: String)
        /// A key is meant for this sender and cannot be used.
        case unusable(reason: String)
    }

    /// Where keys are found.
    let plan: Plan
    /// Loads keys whose file name depends on the sender's domain.
    let vault: KeyVault
    /// Where keys are looked for that the plan does not have.
    var directory: KeyDirectory? = nil

    /// Signs nothing.
    static let empty = KeyBook(plan: .nothing, vault: KeyVault { .missing(path: $0) })

    /// Whether nothing is ever signed.
    var isEmpty: Bool {
        if case .nothing = plan { directory == nil } else { false }
    }

    /// Whether mail of this domain may be signed here; used to notice strangers who claim it.
    func servesDomain(of sender: Mailbox) -> Bool {
        isInPlan(sender) || directory?.serves(sender.domain) == true
    }

    private func isInPlan(_ sender: Mailbox) -> Bool {
        switch plan {
        case .nothing: false
        case .domains(let set, let withSubdomains, _):
            // "*" signs for whoever sends, and names nobody.
            !set.contains("*")
                && Self.listedDomain(for: sender.domain, in: set, withSubdomains: withSubdomains)
                    != nil
        case .tables(let table, _): table.serves(sender)
        }
    }

    /// Finds the keys for a sender.
    func keys(for sender: Mailbox) -> Answer {
        let answer = plannedKeys(for: sender)
        guard case .none(let reason) = answer, let directory else { return answer }
        if case .nothing = plan { return directory.keys(for: sender.domain, after: nil) }
        return directory.keys(for: sender.domain, after: reason)
    }

    private func plannedKeys(for sender: Mailbox) -> Answer {
        switch plan {
        case .nothing:
            return .none(reason: "no keys are configured")
        case .domains(let set, let withSubdomains, let keys):
            guard
                let domain = Self.listedDomain(
                    for: sender.domain, in: set, withSubdomains: withSubdomains)
            else { return .none(reason: "\(sender.domain) is not in Domain") }
            return resolve(keys.map { ($0, nil) }, sender: sender.domain, listed: domain)
        case .tables(let table, let book):
            let lines = table.lines(for: sender)
            guard !lines.isEmpty else {
                return .none(reason: "no signing table match for '\(sender.address)'")
            }
            var found: [(NamedKey, identity: String?)] = []
            for line in lines {
                // A name made of the sender's domain may be missing; all others were checked when the tables were read.
                guard let keys = book[line.keyName(for: sender.domain).lowercased()] else {
                    return .none(reason: "no key named \(sender.domain) in KeyTable")
                }
                found += keys.map { ($0, line.identity(for: sender.domain)) }
            }
            return resolve(found, sender: sender.domain, listed: nil)
        }
    }

    /// Makes named keys into signing keys for a sender.
    private func resolve(
        _ found: [(key: NamedKey, identity: String?)], sender: DomainName, listed: DomainName?
    ) -> Answer {
        var keys: [SigningKey] = []
        var missing: String?
        for (key, identity) in found {
            let domain = key.domain ?? listed ?? sender
            switch vault.load(key.source, for: sender) {
            case .key(let privateKey):
                let made = privateKey.signatureAlgorithm
                if let wanted = key.algorithm, made != wanted {
                    return .unusable(
                        reason: "the key for \(key.selector)._domainkey.\(domain) makes "
                            + "\(made.rawValue), not \(wanted.rawValue)")
                }
                let identity = identity.flatMap { Self.fits($0, domain) ? $0 : nil }
                keys.append(
                    SigningKey(
                        domain: domain, selector: key.selector, identity: identity,
                        key: privateKey))
            // A domain may have one of two keys only.
            case .missing(let path): missing = missing ?? path
            case .fault(let reason): return .unusable(reason: reason)
            }
        }
        return keys.isEmpty
            ? .none(reason: "no key file \(missing ?? "")") : .keys(keys, warnings: [])
    }

    /// The domain in the set that covers a sender's: itself, with SubDomains its nearest listed parent, or
    /// itself again where the set has "*".
    private static func listedDomain(
        for domain: DomainName, in set: DataSet, withSubdomains: Bool
    ) -> DomainName? {
        var candidate: DomainName? = domain
        while let name = candidate, name.labelCount > 0 {
            if set.contains(name.ascii) || set.contains(name.unicode) { return name }
            candidate = withSubdomains ? name.parent : nil
        }
        return set.matching == .equality && set.contains("*") ? domain : nil
    }

    /// Whether an identity may stand in i= beside d= (RFC 6376, section 3.5): one that conflicts is left out.
    private static func fits(_ identity: String, _ domain: DomainName) -> Bool {
        guard let at = identity.lastIndex(of: "@"),
            let name = try? DomainName(identity[identity.index(after: at)...])
        else { return false }
        return name.isEqualOrSubdomain(of: domain)
    }
}

/// A key under its selector, as a table or directive names it.
struct NamedKey: Sendable {
    /// The signature's d=; nil for the sender's own domain (`%`).
    let domain: DomainName?
    /// The signature's s=.
    let selector: DomainName
    /// Where the key itself is.
    let source: KeySource
    /// The file it was read from, where it has one of its own.
    var file: String? = nil
    /// The algorithm that KeyTable gives for a key that is read when it signs; of others it has been compared.
    var algorithm: SignatureAlgorithm? = nil
}

/// Where a private key is.
enum KeySource: Sendable {
    /// In memory, read with the configuration.
    case loaded(PrivateKey)
    /// In a file of its own for each sender domain; `%` in the path stands for the domain.
    case perDomain(path: String)
    /// In a file that is read when it first signs, as there are very many.
    case deferred(path: String)
}
