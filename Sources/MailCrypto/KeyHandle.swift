internal import COpenSSL

/// The owner of one EVP_PKEY.
///
/// Sendable because the key is not changed after it is made: OpenSSL's EVP_PKEY(7) allows
/// concurrent operations on one key then, with locks of its own round the caches (Montgomery form,
/// blinding) that the first operation fills.
@safe
struct KeyHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes ownership of a key; nil where there is none.
    init?(owning pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The algorithm, or nil for a kind that DKIM does not use.
    var algorithm: KeyAlgorithm? {
        if unsafe EVP_PKEY_is_a(pointer, "RSA") == 1 {
            return .rsa(bits: Int(unsafe EVP_PKEY_get_bits(pointer)))
        }
        if unsafe EVP_PKEY_is_a(pointer, "ED25519") == 1 { return .ed25519 }
        return nil
    }

    /// The public half as DER SubjectPublicKeyInfo (RFC 5280, section 4.1).
    var subjectPublicKeyInfo: [UInt8] {
        let size = Int(unsafe i2d_PUBKEY(pointer, nil))
        guard size > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var cursor = buffer.baseAddress
            count = max(0, Int(unsafe i2d_PUBKEY(pointer, &cursor)))
        }
    }

    /// The 32 octets of an Ed25519 public key; empty for any other key.
    var rawPublicKey: [UInt8] {
        var size = 0
        guard unsafe EVP_PKEY_get_raw_public_key(pointer, nil, &size) == 1 else {
            ERR_clear_error()
            return []
        }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let ok = unsafe EVP_PKEY_get_raw_public_key(pointer, buffer.baseAddress, &size)
            count = ok == 1 ? size : 0
        }
    }
}
