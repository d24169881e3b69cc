import Foundation
import MailCrypto
import Testing

@Suite struct PrivateKeyForms {
    static let keys: [PrivateKey] = {
        do { return [try .generateRSA(bits: 1024), try .generateEd25519()] } catch { return [] }
    }()

    @Test(arguments: keys)
    func pemAndDERAndBase64AreOneKey(key: PrivateKey) throws {
        let pem = key.withPEM { $0.octets }
        let base64 = String(decoding: pem, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("-----") }.joined()
        let der = try #require(Data(base64Encoded: base64))
        for form in [pem, [UInt8](der), [UInt8](base64.utf8), [UInt8](" \(base64)\n".utf8)] {
            #expect(try PrivateKey(form).publicKey == key.publicKey)
        }
    }

    @Test(arguments: keys)
    func signaturesVerifyAndTamperedOnesDoNot(key: PrivateKey) throws {
        var hash = sha256("message")
        var signature = try key.signature(of: hash)
        #expect(signature.count == key.signatureLength)
        #expect(key.publicKey.accepts(signature, hash))
        hash[0] ^= 1
        #expect(!key.publicKey.accepts(signature, hash))
        hash[0] ^= 1
        signature[signature.count - 1] ^= 1
        #expect(!key.publicKey.accepts(signature, hash))
        #expect(!key.publicKey.accepts([UInt8](), hash))
        #expect(throws: SigningFailure.self) {
            try key.signature(of: [UInt8](repeating: 0, count: 31))
        }
    }

    @Test func manyThreadsShareAKey() async throws {
        let key = try #require(Self.keys.first)
        let hash = sha256("shared")
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    try (0..<20).allSatisfy { _ in
                        key.publicKey.accepts(try key.signature(of: hash), hash)
                    }
                }
            }
            for try await good in group { #expect(good) }
        }
    }

    /// RFC 8032, section 7.1, TEST 1.
    @Test func ed25519SeedInBase64() throws {
        let seed: [UInt8] = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        let key = try PrivateKey([UInt8](Data(seed).base64EncodedString().utf8))
        #expect(key.algorithm == .ed25519)
        #expect(
            key.publicKey.recordOctets
                == hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    }

    @Test(arguments: [
        ("", KeyError.empty),
        (" \r\n\t", .empty),
        ("hello", .malformed),
        ("aGVsbG8=", .malformed),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .malformed),
        ("-----BEGIN RSA PRIVATE KEY-----\n", .malformed),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", .encrypted),
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", .encrypted),
        (String(repeating: "A", count: 70_000), .tooLarge(octets: 70_000)),
    ])
    func whatIsNoKeyHasAName(text: String, expected: KeyError) {
        #expect(throws: expected) { try PrivateKey([UInt8](text.utf8)) }
    }

    @Test func sizesAreBounded() {
        #expect(throws: KeyError.rsaTooShort(bits: 512)) { try PrivateKey.generateRSA(bits: 512) }
        #expect(throws: KeyError.rsaTooLong(bits: 9000)) { try PrivateKey.generateRSA(bits: 9000) }
    }
}

@Suite struct PublicKeyForms {
    @Test func bareAndWrappedRSAKeysAreOneKey() throws {
        let key = try PrivateKey.generateRSA(bits: 1024).publicKey
        let wrapped = key.subjectPublicKeyInfo
        // SEQUENCE, AlgorithmIdentifier and the BIT STRING's head take 22 octets at this size.
        let bare = [UInt8](wrapped.dropFirst(22))
        #expect(try PublicKey(rsaOctets: wrapped) == key)
        #expect(try PublicKey(rsaOctets: bare) == key)
        #expect(throws: KeyError.malformed) { try PublicKey(rsaOctets: (wrapped + [0])) }
        for end in 0..<wrapped.count {
            #expect(throws: KeyError.self) { try PublicKey(rsaOctets: [UInt8](wrapped[..<end])) }
        }
    }

    static let absurd: [(modulus: [UInt8], exponent: [UInt8], error: KeyError)] = [
        (ones(128), [1], .rsaExponent),
        (ones(128), [4], .rsaExponent),
        (ones(128), ones(9), .rsaExponent),
        (ones(128), ones(5), .rsaExponent),
        (ones(1024), [1, 0, 0, 1], .rsaExponent),
        (ones(127) + [0xFE], [1, 0, 1], .rsaModulus),
        (ones(1025), [1, 0, 1], .rsaTooLong(bits: 8200)),
        (ones(1), ones(2), .rsaExponent),
    ]

    @Test(arguments: absurd)
    func absurdNumbersAreRefused(modulus: [UInt8], exponent: [UInt8], error: KeyError) {
        let der = rsaPublicKey(modulus, exponent)
        #expect(throws: error) { try PublicKey(rsaOctets: der) }
    }

    @Test func ed25519KeysHave32Octets() throws {
        #expect(throws: KeyError.ed25519Length(octets: 31)) {
            try PublicKey(ed25519Octets: ones(31))
        }
        let key = try PrivateKey.generateEd25519().publicKey
        #expect(try PublicKey(ed25519Octets: key.recordOctets) == key)
        #expect(throws: KeyError.unsupportedType) {
            try PublicKey(rsaOctets: key.subjectPublicKeyInfo)
        }
    }
}

@Suite struct Hashing {
    @Test func anySplitGivesTheSameHash() {
        let text = [UInt8]("the quick brown fox".utf8)
        var digest = SHA256()
        for split in 0...text.count {
            digest.update(text, in: 0..<split)
            digest.update(text, in: split..<text.count)
            #expect(digest.finish() == sha256("the quick brown fox"))
        }
        // FIPS 180-4's example.
        #expect(
            sha256("abc")
                == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    }
}

private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }

private func hex(_ text: String) -> [UInt8] {
    stride(from: 0, to: text.count, by: 2).compactMap { offset in
        let start = text.index(text.startIndex, offsetBy: offset)
        return UInt8(text[start..<text.index(start, offsetBy: 2)], radix: 16)
    }
}

private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    switch content.count {
    case ..<128: [tag, UInt8(content.count)] + content
    case ..<256: [tag, 0x81, UInt8(content.count)] + content
    default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
    }
}

private func rsaPublicKey(_ modulus: [UInt8], _ exponent: [UInt8]) -> [UInt8] {
    func integer(_ number: [UInt8]) -> [UInt8] {
        element(2, (number.first ?? 0) >= 0x80 ? [0] + number : number)
    }
    return element(0x30, integer(modulus) + integer(exponent))
}

// The calls again for arrays, as `#expect` cannot hold spans.

private func sha256(_ text: String) -> [UInt8] {
    let bytes = [UInt8](text.utf8)
    return SHA256.hash(bytes.span)
}

extension PrivateKey {
    func signature(of hash: [UInt8]) throws -> [UInt8] {
        try sign(hash.span)
    }
}

extension PublicKey {
    convenience init(rsaOctets octets: [UInt8]) throws {
        try self.init(rsa: octets.span)
    }

    convenience init(ed25519Octets octets: [UInt8]) throws {
        try self.init(ed25519: octets.span)
    }

    func accepts(_ signature: [UInt8], _ hash: [UInt8]) -> Bool {
        verify(signature.span, of: hash.span)
    }
}

extension Span<UInt8> {
    var octets: [UInt8] { indices.map { self[$0] } }
}
