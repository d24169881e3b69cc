public import MailCrypto

/// The algorithms that we sign and verify with (RFC 6376, section 3.3; RFC 8301; RFC 8463).
public enum SignatureAlgorithm: String, Hashable, Sendable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rsaSHA256 = "rsa-sha256"
    /// Ed25519 over a SHA-256 hash.
    case ed25519SHA256 = "ed25519-sha256"

    /// The algorithm that a key serves.
    public init(_ key: KeyAlgorithm) {
        self =
            switch key {
            case .rsa: .rsaSHA256
            case .ed25519: .ed25519SHA256
            }
    }

    /// The `k=` tag of the key records that go with the algorithm.
    public var keyType: KeyType {
        switch self {
        case .rsaSHA256: .rsa
        case .ed25519SHA256: .ed25519
        }
    }
}

/// The kinds of key that a key record's `k=` tag names (RFC 6376, section 3.6.1; RFC 8463).
public enum KeyType: String, Hashable, Sendable {
    /// An RSA key, the default.
    case rsa
    /// An Ed25519 key.
    case ed25519
}
