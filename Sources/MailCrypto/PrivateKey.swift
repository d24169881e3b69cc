internal import COpenSSL

/// A private key that signs, parsed and warmed up once, used by any number of threads.
///
/// Sendable because the OpenSSL objects inside are not changed after `init`: each signature works
/// on a copy of a prepared context, and OpenSSL guards the key's own caches with locks. Trust: made
/// from the administrator's files; what it holds is the domain's secret.
public final class PrivateKey: Sendable {
    /// The algorithm that the key serves, with its size.
    public let algorithm: KeyAlgorithm
    /// The public half.
    public let publicKey: PublicKey
    private let key: KeyHandle
    private let template: OperationTemplate

    /// Reads a key in any of the forms that OpenDKIM and dkimpy accept.
    ///
    /// The forms: PEM (PKCS#1 or PKCS#8), DER, base64 of DER, and base64 of a 32-octet Ed25519
    /// seed. The caller's array is the caller's to wipe (`wipe(_:)`); copies made here are wiped.
    public convenience init(_ contents: [UInt8]) throws(KeyError) {
        guard let key = try KeyHandle(privateKey: contents) else {
            ERR_clear_error()
            throw .malformed
        }
        try self.init(key)
    }

    private init(_ key: consuming KeyHandle) throws(KeyError) {
        guard let algorithm = key.algorithm else { throw .unsupportedType }
        if case .rsa(let bits) = algorithm {
            // RFC 8301, section 3.2.
            guard bits >= KeyLimits.leastSigningBits else { throw .rsaTooShort(bits: bits) }
            guard bits <= KeyLimits.greatestBits else { throw .rsaTooLong(bits: bits) }
        }
        guard let template = OperationTemplate(key, algorithm, .signing) else {
            ERR_clear_error()
            throw .refused
        }
        let information = key.subjectPublicKeyInfo
        let raw = key.rawPublicKey
        self.algorithm = algorithm
        self.key = key
        self.template = template
        publicKey =
            switch algorithm {
            case .rsa: try PublicKey(rsa: information.span)
            case .ed25519: try PublicKey(ed25519: raw.span)
            }
        try warmUp()
    }

    /// Signs a SHA-256 hash.
    ///
    /// RSA: PKCS#1 v1.5 (RFC 6376, section 3.3.2). Ed25519: PureEdDSA over the octets of the hash
    /// (RFC 8463, section 3).
    ///
    /// - Parameter hash: the 32 octets of the hash.
    /// - Returns: the signature: as long as the modulus for RSA, 64 octets for Ed25519.
    /// - Throws: `SigningFailure` where OpenSSL fails, which no message can bring about.
    public func sign(_ hash: Span<UInt8>) throws(SigningFailure) -> [UInt8] {
        guard hash.count == SHA256.length,
            let signature = template.sign(hash, atMost: signatureLength)
        else { throw SigningFailure() }
        return signature
    }

    /// The length of this key's signatures in octets.
    public var signatureLength: Int {
        switch algorithm {
        case .rsa(let bits): (bits + 7) / 8
        case .ed25519: 64
        }
    }

    /// Signs once, so that no message pays for the Montgomery form and the blinding factors, and
    /// verifies it, so that a damaged key is found now and not by the recipients.
    private func warmUp() throws(KeyError) {
        let hash = [UInt8](repeating: 0, count: SHA256.length)
        guard let signature = template.sign(hash.span, atMost: signatureLength),
            publicKey.verify(signature.span, of: hash.span)
        else { throw .inconsistent }
    }

    /// Makes a new RSA key with a modulus of 1024 to 8192 bits.
    public static func generateRSA(bits: Int) throws(KeyError) -> PrivateKey {
        guard bits >= KeyLimits.leastSigningBits else { throw .rsaTooShort(bits: bits) }
        guard bits <= KeyLimits.greatestBits else { throw .rsaTooLong(bits: bits) }
        return try generate("RSA", bits: Int32(bits))
    }

    /// Makes a new Ed25519 key.
    public static func generateEd25519() throws(KeyError) -> PrivateKey {
        try generate("ED25519", bits: nil)
    }

    private static func generate(_ name: String, bits: Int32?) throws(KeyError) -> PrivateKey {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil) else {
            throw .refused
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            bits.map({ unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, $0) }) ?? 1 == 1,
            unsafe EVP_PKEY_generate(context, &made) == 1,
            let key = unsafe KeyHandle(owning: made)
        else {
            ERR_clear_error()
            throw .refused
        }
        return try PrivateKey(key)
    }

    /// Lends the key as PEM (PKCS#8, "BEGIN PRIVATE KEY"), and wipes the text afterwards.
    public func withPEM<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The secure-memory BIO clears what it held when it is freed.
        guard let bio = unsafe BIO_new(BIO_s_secmem()) else { outOfMemory() }
        defer { unsafe BIO_free(bio) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio, key.pointer, nil, nil, 0, nil, nil) == 1
        else { outOfMemory() }
        var start: UnsafeMutablePointer<CChar>? = nil
        let count = unsafe signet_bio_data(bio, &start)
        let buffer = unsafe UnsafeBufferPointer(
            start: UnsafeRawPointer(start)?.assumingMemoryBound(to: UInt8.self),
            count: max(0, count))
        return try unsafe body(Span(_unsafeElements: buffer))
    }
}

/// OpenSSL could not sign: the environment's fault, never the message's.
public struct SigningFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence for the log.
    public var description: String { "OpenSSL could not sign" }

    /// Creates the error.
    public init() {}
}

/// Overwrites octets that held a secret, in a way that no optimiser removes.
public func wipe(_ secret: inout [UInt8]) {
    unsafe secret.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    secret.removeAll()
}
