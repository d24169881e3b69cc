internal import Configuration
package import MailCrypto
package import MailSyntax
internal import Threads

/// A key that signs mail, and where the configuration says so.
package struct KeyInUse: Sendable {
    /// What the key file holds.
    package enum Contents: Sendable {
        /// A private key, whose public half this is.
        case key(PublicKey)
        /// Nothing that can be used; the text says why.
        case unusable(String)
        /// Something that only its owner may read.
        case hidden
    }

    /// The `d=` of its signatures.
    package let domain: DomainName
    /// The `s=` of its signatures.
    package let selector: DomainName
    /// The domain of `i=`, where the configuration gives one.
    package let identity: DomainName?
    /// The key file.
    package let path: String
    /// What the file holds.
    package let contents: Contents

    /// Describes a key.
    package init(
        domain: DomainName, selector: DomainName, identity: DomainName? = nil, path: String,
        contents: Contents
    ) {
        self.domain = domain
        self.selector = selector
        self.identity = identity
        self.path = path
        self.contents = contents
    }

    /// Where its record is published; nil where the name is too long for the DNS.
    package var recordName: DomainName? {
        try? domain.prepending("\(selector.ascii)._domainkey")
    }

    /// The public key; nil where the file has none.
    package var publicKey: PublicKey? {
        if case .key(let key) = contents { key } else { nil }
    }
}

/// Who signs with which key.
package struct SignersView: Sendable {
    /// Where the plan comes from, such as `/etc/signet/dkim.conf`; nil where nothing signs here.
    package var source: String?
    /// The keys by sender domain; a domain that is not there has none.
    private let keysOfDomain: @Sendable (DomainName) -> [KeyInUse]
    /// What was found, since many checks ask for the same domain.
    private let found = Monitor<[DomainName: [KeyInUse]]>([:])
    /// The domains that the configuration names, in its order.
    package let domains: [DomainName]

    /// Nothing signs.
    package init() {
        source = nil
        domains = []
        keysOfDomain = { _ in [] }
    }

    /// A plan.
    ///
    /// - Parameters:
    ///   - source: where it comes from.
    ///   - domains: the domains that it names.
    ///   - keys: the keys that sign mail from a domain.
    package init(
        source: String, domains: [DomainName],
        keys: @escaping @Sendable (DomainName) -> [KeyInUse]
    ) {
        self.source = source
        self.domains = domains
        keysOfDomain = keys
    }

    /// The keys that sign mail from a domain.
    package func keys(for domain: DomainName) -> [KeyInUse] {
        if let known = found.withLock({ $0[domain] }) { return known }
        let keys = keysOfDomain(domain)
        found.withLock { $0[domain] = keys }
        return keys
    }
}
