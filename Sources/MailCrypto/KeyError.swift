/// Why bytes that should hold a key do not hold one that we use.
public enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing but white space.
    case empty
    /// More octets than any key that we accept has.
    case tooLarge(octets: Int)
    /// Neither PEM, nor base64, nor DER of a key.
    case malformed
    /// A private key locked with a passphrase, for which there is nobody to ask.
    case encrypted
    /// A key of a kind that DKIM does not know.
    case unsupportedType
    /// An RSA key below the least size.
    case rsaTooShort(bits: Int)
    /// An RSA key so long that using it would be an attack on the verifier's time.
    case rsaTooLong(bits: Int)
    /// An RSA exponent that is even, below 3, or too large: see `KeyLimits.greatestExponentBits`.
    case rsaExponent
    /// An RSA modulus that is even.
    case rsaModulus
    /// An Ed25519 key that is not 32 octets long (RFC 8463, section 4.2).
    case ed25519Length(octets: Int)
    /// A private key whose signatures its own public key does not verify.
    case inconsistent
    /// OpenSSL refused the key for a reason of its own.
    case refused

    /// A sentence for the administrator.
    public var description: String {
        switch self {
        case .empty: "the key is empty"
        case .tooLarge(let octets): "\(octets) octets are more than any key has"
        case .malformed: "not a key in PEM, base64 or DER form"
        case .encrypted: "the key is locked with a passphrase"
        case .unsupportedType: "neither an RSA nor an Ed25519 key"
        case .rsaTooShort(let bits): "an RSA key of \(bits) bits is too short"
        case .rsaTooLong(let bits): "an RSA key of \(bits) bits is too long"
        case .rsaExponent: "the RSA exponent is even, too small or too large"
        case .rsaModulus: "the RSA modulus is even"
        case .ed25519Length(let octets): "an Ed25519 key has 32 octets, not \(octets)"
        case .inconsistent: "the private key's signatures do not verify with its own public key"
        case .refused: "OpenSSL refuses the key"
        }
    }
}

/// Which signature algorithm a key serves, and its size.
public enum KeyAlgorithm: Hashable, Sendable {
    /// RSASSA-PKCS1-v1_5 (RFC 6376, section 3.3.2), with the modulus's size.
    case rsa(bits: Int)
    /// Ed25519 (RFC 8463).
    case ed25519

    /// The size of the key in bits.
    public var bits: Int {
        switch self {
        case .rsa(let bits): bits
        case .ed25519: 256
        }
    }
}

/// The bounds on keys of any origin.
public enum KeyLimits {
    /// The least RSA modulus that signs, in bits (RFC 8301, section 3.2).
    public static let leastSigningBits = 1024
    /// The largest RSA modulus, in bits: RFC 8301 asks for 4096.
    public static let greatestBits = 8192
    /// The largest RSA public exponent, in bits: verification time grows with it.
    ///
    /// Nearly all keys have 65,537; 2^32+1 is the largest in any use. An exponent of 64 bits
    /// takes up to seven times the multiplications of 65,537, and a message may ask for many verifications.
    public static let greatestExponentBits = 33
    /// The same for a modulus over 4096 bits.
    public static let greatestExponentBitsOfLongKeys = 17
    /// The largest DER form of a public key, in octets.
    public static let greatestPublicKey = 4096
    /// The largest private key file, in octets.
    public static let greatestPrivateKey = 65_536
}
