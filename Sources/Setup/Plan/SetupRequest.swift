package import MailCrypto
package import MailSyntax

/// What the postmaster asks for.
package struct SetupRequest: Sendable {
    /// Who signs outgoing mail.
    package enum Signer: String, CaseIterable, Sendable {
        /// The relay if it is one that is known to sign, else this host.
        case auto
        /// This host, whatever the relay does.
        case here
        /// The relay.
        case relay
    }

    /// The domains in From fields.
    package var domains: [DomainName]
    /// The selector of the RSA key; the Ed25519 key's has `-ed25519` behind it.
    package var selector: String
    /// Who signs.
    package var signer: Signer

    /// Describes a request.
    package init(domains: [DomainName], selector: String = "mail", signer: Signer = .auto) {
        (self.domains, self.selector, self.signer) = (domains, selector, signer)
    }
}

/// What a plan makes keys with: randomness and the form of records are passed in.
package struct KeyTools: Sendable {
    /// Makes a new RSA key; nil in a preview, for which none is made.
    package let makeRSA: @Sendable () throws -> PrivateKey?
    /// Makes a new Ed25519 key; nil in a preview.
    package let makeEd25519: @Sendable () throws -> PrivateKey?
    /// The value of the record that publishes a key.
    package let record: @Sendable (PublicKey) -> String

    /// Describes the tools.
    package init(
        makeRSA: @escaping @Sendable () throws -> PrivateKey?,
        makeEd25519: @escaping @Sendable () throws -> PrivateKey?,
        record: @escaping @Sendable (PublicKey) -> String
    ) {
        (self.makeRSA, self.makeEd25519, self.record) = (makeRSA, makeEd25519, record)
    }
}
