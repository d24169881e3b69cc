internal import COpenSSL

/// A public key that verifies DKIM signatures, parsed once.
///
/// Trust: made from whatever somebody published; sizes are checked before OpenSSL sees the numbers.
public final class PublicKey: Sendable {
    /// The algorithm that the key serves, with its size.
    public let algorithm: KeyAlgorithm
    private let key: KeyHandle
    private let template: OperationTemplate

    /// Makes an RSA key from the DER octets of a `p=` tag: a SubjectPublicKeyInfo or a bare
    /// RSAPublicKey (RFC 6376, section 3.6.1).
    ///
    /// Any modulus up to `KeyLimits.greatestBits` is accepted: how short is too short is the
    /// verifier's policy.
    public convenience init(rsa der: Span<UInt8>) throws(KeyError) {
        let numbers = try RSAPublicNumbers(der: der)
        guard let key = KeyHandle(rsa: numbers) else { throw .refused }
        try self.init(key)
    }

    /// Makes an Ed25519 key from the 32 octets of a `p=` tag (RFC 8463, section 4.2).
    public convenience init(ed25519 raw: Span<UInt8>) throws(KeyError) {
        guard raw.count == 32 else { throw .ed25519Length(octets: raw.count) }
        let key = unsafe raw.withUnsafeBufferPointer { raw in
            unsafe KeyHandle(
                owning: EVP_PKEY_new_raw_public_key(
                    EVP_PKEY_ED25519, nil, raw.baseAddress, raw.count))
        }
        guard let key else { throw .refused }
        try self.init(key)
    }

    init(_ key: consuming KeyHandle) throws(KeyError) {
        guard let algorithm = key.algorithm else { throw .unsupportedType }
        guard let template = OperationTemplate(key, algorithm, .verifying) else {
            ERR_clear_error()
            throw .refused
        }
        self.algorithm = algorithm
        self.key = key
        self.template = template
    }

    /// The size of the key in bits; 256 for Ed25519.
    public var bits: Int { algorithm.bits }

    /// Whether a signature belongs to a SHA-256 hash.
    ///
    /// RSA: PKCS#1 v1.5 over the hash (RFC 6376, section 3.3.2). Ed25519: PureEdDSA over the octets
    /// of the hash (RFC 8463, section 3).
    public func verify(_ signature: Span<UInt8>, of hash: Span<UInt8>) -> Bool {
        template.verify(signature, of: hash)
    }

    /// Whether an RSA signature was made with this key's private half, over whatever SHA-256 hash;
    /// always false for Ed25519, which does not tell.
    ///
    /// For diagnosis: it costs as much as verifying.
    public func couldHaveSigned(_ signature: Span<UInt8>) -> Bool {
        guard case .rsa = algorithm,
            let context = unsafe EVP_PKEY_CTX_new(key.pointer, nil)
        else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var hash = [UInt8](repeating: 0, count: (bits + 7) / 8)
        var size = hash.count
        let ok = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe hash.withUnsafeMutableBufferPointer { hash in
                unsafe EVP_PKEY_verify_recover_init(context) == 1
                    && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
                    && EVP_PKEY_CTX_set_signature_md(context, Library.sha256) == 1
                    && EVP_PKEY_verify_recover(
                        context, hash.baseAddress, &size, signature.baseAddress, signature.count)
                        == 1
            }
        }
        if !ok { ERR_clear_error() }
        return ok && size == SHA256.length
    }

    /// The key as DER SubjectPublicKeyInfo.
    public var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }

    /// The octets that belong in the `p=` tag of a key record, before base64: a
    /// SubjectPublicKeyInfo for RSA, the 32 octets of an Ed25519 key.
    public var recordOctets: [UInt8] {
        switch algorithm {
        case .rsa: key.subjectPublicKeyInfo
        case .ed25519: key.rawPublicKey
        }
    }
}

extension PublicKey: Equatable {
    /// Whether two keys are the same key, in whatever form each was published.
    public static func == (one: PublicKey, other: PublicKey) -> Bool {
        unsafe EVP_PKEY_eq(one.key.pointer, other.key.pointer) == 1
    }
}

extension KeyHandle {
    /// Makes an RSA public key of its numbers; nil where OpenSSL refuses them.
    fileprivate init?(rsa numbers: RSAPublicNumbers) {
        // OpenSSL's parameters hold numbers in the machine's order: Swift on Linux is little-endian.
        var modulus = [UInt8](numbers.modulus.reversed())
        var exponent = [UInt8](numbers.exponent.reversed())
        let made = unsafe modulus.withUnsafeMutableBufferPointer { modulus in
            unsafe exponent.withUnsafeMutableBufferPointer { exponent in
                unsafe signet_rsa_public_key(
                    modulus.baseAddress, modulus.count, exponent.baseAddress, exponent.count)
            }
        }
        if unsafe made == nil { ERR_clear_error() }
        unsafe self.init(owning: made)
    }
}
