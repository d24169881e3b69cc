public import MailCrypto
public import MailSyntax

/// A key, and the name that it signs in.
public struct SigningKey: Sendable {
    /// The `d=` tag: who takes responsibility.
    public let domain: DomainName
    /// The `s=` tag: where below `_domainkey` the public key is.
    public let selector: DomainName
    /// The `i=` tag, "user@domain" or "@domain"; nil to leave it out.
    public let identity: String?
    /// The key itself.
    public let key: PrivateKey

    /// Creates a signing key.
    public init(domain: DomainName, selector: DomainName, identity: String? = nil, key: PrivateKey)
    {
        self.domain = domain
        self.selector = selector
        self.identity = identity
        self.key = key
    }

    /// The algorithm of the signatures that it makes.
    public var algorithm: SignatureAlgorithm { SignatureAlgorithm(key.algorithm) }
}

/// A signature, ready to be inserted as the first field of the message.
public struct SignedField: Sendable {
    /// The value, with its leading space and "\n" folds, as a milter hands it to the MTA.
    public let value: [UInt8]
    /// The `d=` tag, for the log.
    public let domain: DomainName
    /// The `s=` tag, for the log.
    public let selector: DomainName
    /// The algorithm, for the log.
    public let algorithm: SignatureAlgorithm

    /// The field's name.
    public static let name = FieldName.dkimSignature
}
