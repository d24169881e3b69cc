internal import COpenSSL

// The forms in which administrators keep private keys. Trust: files of the administrator, which may
// be damaged or of the wrong kind.

extension KeyHandle {
    /// Reads a private key in whichever form it is; nil where it is in none.
    init?(privateKey contents: [UInt8]) throws(KeyError) {
        guard contents.count <= KeyLimits.greatestPrivateKey else {
            throw .tooLarge(octets: contents.count)
        }
        guard contents.contains(where: { !isWhiteSpace($0) }) else { throw .empty }
        if holds(contents, pemMark) {
            if holds(contents, lockedMark) { throw .encrypted }
            self.init(pem: contents)
        } else if contents.first == derSequence, contents.contains(where: { $0 >= 0x80 }) {
            self.init(der: contents)
        } else {
            var octets = try decodeBase64(contents)
            defer { wipe(&octets) }
            if octets.count == 32 {
                self.init(ed25519Seed: octets)
            } else {
                self.init(der: octets)
            }
        }
    }

    private init?(pem: [UInt8]) {
        let key: OpaquePointer? = unsafe pem.withUnsafeBytes { pem in
            guard let bio = unsafe BIO_new_mem_buf(pem.baseAddress, Int32(pem.count)) else {
                outOfMemory()
            }
            defer { unsafe BIO_free(bio) }
            // Without a callback of ours OpenSSL would ask the terminal for a passphrase.
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        unsafe self.init(owning: key)
    }

    private init?(der: [UInt8]) {
        let key: OpaquePointer? = unsafe der.withUnsafeBufferPointer { der in
            var cursor = der.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &cursor, der.count)
        }
        unsafe self.init(owning: key)
    }

    private init?(ed25519Seed seed: [UInt8]) {
        let key = unsafe seed.withUnsafeBufferPointer { seed in
            unsafe EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, seed.baseAddress, seed.count)
        }
        unsafe self.init(owning: key)
    }
}

private let pemMark = [UInt8]("-----BEGIN ".utf8)
private let lockedMark = [UInt8]("ENCRYPTED".utf8)
private let derSequence: UInt8 = 0x30

private func holds(_ contents: [UInt8], _ mark: [UInt8]) -> Bool {
    contents.indices.contains { contents[$0...].starts(with: mark) }
}

private func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
}

/// Decodes base64 with white space anywhere, leaving no copy behind but the answer.
private func decodeBase64(_ text: [UInt8]) throws(KeyError) -> [UInt8] {
    var compact = text.filter { !isWhiteSpace($0) }
    defer { wipe(&compact) }
    guard compact.count % 4 == 0 else { throw .malformed }
    let padding = compact.suffix(2).count(where: { $0 == UInt8(ascii: "=") })
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: compact.count / 4 * 3) {
        buffer, count in
        let written = unsafe compact.withUnsafeBufferPointer { compact in
            unsafe EVP_DecodeBlock(buffer.baseAddress, compact.baseAddress, Int32(compact.count))
        }
        // EVP_DecodeBlock counts the padding as octets.
        count = max(0, Int(written) - padding)
    }
    guard !octets.isEmpty else { throw .malformed }
    return octets
}
