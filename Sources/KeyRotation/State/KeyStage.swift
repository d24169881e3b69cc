package import MailCrypto

/// How far a key has come, from its making to its end.
package enum KeyStage: String, Hashable, Sendable, CaseIterable {
    /// A name is chosen; there may or may not be a key file yet.
    case planned
    /// The private key is on disk; nothing of it is in the DNS.
    case made
    /// The record was handed to the DNS; not every authoritative server has shown it yet.
    case published
    /// Every authoritative server shows it; resolvers may still remember that there was none.
    case seen
    /// Mail is signed with it.
    case signing
    /// No new signature is made with it; its record stays for mail that is under way, from the moment on at which every host
    /// knows so.
    case retiring
    /// It is compromised: its record is to be emptied at once.
    case revoking
    /// Its record says `p=`: "the key has been revoked" (RFC 6376, section 3.6.1).
    case emptied
    /// Its record and its private key are gone; kept as history.
    case withdrawn

    /// Whether the key is on its way to sign.
    package var isComing: Bool {
        switch self {
        case .planned, .made, .published, .seen: true
        case .signing, .retiring, .revoking, .emptied, .withdrawn: false
        }
    }
}

/// The kinds of keys, which rotate together or apart.
package enum KeyKind: String, Hashable, Sendable, CaseIterable {
    /// RSA (RFC 6376, RFC 8301).
    case rsa
    /// Ed25519 (RFC 8463).
    case ed25519

    /// The kind of a key.
    package init(_ algorithm: KeyAlgorithm) {
        switch algorithm {
        case .rsa: self = .rsa
        case .ed25519: self = .ed25519
        }
    }
}
