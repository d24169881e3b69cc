/// The two numbers of an RSA public key, read from DER.
///
/// Read by hand, strictly, so that only numbers of acceptable size ever reach OpenSSL: its decoders
/// know many kinds of keys, some of them with parameters that are costly to check. Trust: the bytes
/// are whatever somebody published in the DNS.
struct RSAPublicNumbers: Equatable {
    /// The modulus, most significant octet first, without leading zeros.
    let modulus: [UInt8]
    /// The public exponent, in the same form.
    let exponent: [UInt8]

    /// Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1) or a bare RSAPublicKey (RFC 8017,
    /// appendix A.1.1).
    ///
    /// RFC 6376, section 3.6.1, speaks of RSAPublicKey, its example and all practice of
    /// SubjectPublicKeyInfo (erratum 3017): both are read.
    init(der: Span<UInt8>) throws(KeyError) {
        guard !der.isEmpty else { throw .empty }
        guard der.count <= KeyLimits.greatestPublicKey else { throw .tooLarge(octets: der.count) }
        var reader = DERReader(der.count)
        guard let outer = reader.element(in: der, tag: DERReader.sequence), reader.isAtEnd else {
            throw .malformed
        }
        var content = DERReader(outer)
        if content.nextTag(in: der) == DERReader.integer {
            self = try RSAPublicNumbers(content, in: der)
            return
        }
        guard let algorithm = content.element(in: der, tag: DERReader.sequence),
            let bits = content.element(in: der, tag: DERReader.bitString), content.isAtEnd,
            let unused = bits.first, der[unused] == 0
        else { throw .malformed }
        var identifier = DERReader(algorithm)
        guard let object = identifier.element(in: der, tag: DERReader.objectIdentifier) else {
            throw .malformed
        }
        guard der.holds(DERReader.rsaEncryption, at: object) else { throw .unsupportedType }
        if !identifier.isAtEnd {
            guard let null = identifier.element(in: der, tag: DERReader.null), null.isEmpty,
                identifier.isAtEnd
            else { throw .malformed }
        }
        var inner = DERReader(bits.dropFirst())
        guard let key = inner.element(in: der, tag: DERReader.sequence), inner.isAtEnd else {
            throw .malformed
        }
        self = try RSAPublicNumbers(DERReader(key), in: der)
    }

    /// Reads the two integers that an RSAPublicKey consists of.
    private init(_ content: DERReader, in der: Span<UInt8>) throws(KeyError) {
        var content = content
        guard let modulus = content.positiveInteger(in: der),
            let exponent = content.positiveInteger(in: der), content.isAtEnd
        else { throw .malformed }
        self.modulus = der.bytes(in: modulus)
        self.exponent = der.bytes(in: exponent)
        let bits = Self.bits(self.modulus)
        guard bits <= KeyLimits.greatestBits else { throw .rsaTooLong(bits: bits) }
        guard (self.modulus.last ?? 0) & 1 == 1 else { throw .rsaModulus }
        let exponentBits = Self.bits(self.exponent)
        let greatest =
            bits > 4096 ? KeyLimits.greatestExponentBitsOfLongKeys : KeyLimits.greatestExponentBits
        guard exponentBits >= 2, exponentBits <= greatest, exponentBits < bits,
            (self.exponent.last ?? 0) & 1 == 1
        else { throw .rsaExponent }
    }

    /// The size of a number in bits.
    private static func bits(_ number: [UInt8]) -> Int {
        guard let first = number.first else { return 0 }
        return number.count * 8 - first.leadingZeroBitCount
    }
}

/// Walks the elements of DER (X.690) of which a public key is made.
private struct DERReader {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let null: UInt8 = 0x05
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
    /// The object identifier 1.2.840.113549.1.1.1.
    static let rsaEncryption: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]

    private var position: Int
    private let end: Int

    init(_ count: Int) {
        self.init(0..<count)
    }

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    func nextTag(in der: Span<UInt8>) -> UInt8? {
        position < end ? der[position] : nil
    }

    /// Steps over an element of the kind asked for, and answers where its content is.
    mutating func element(in der: Span<UInt8>, tag: UInt8) -> Range<Int>? {
        guard end - position >= 2, der[position] == tag else { return nil }
        var length = Int(der[position + 1])
        var start = position + 2
        if length >= 0x80 {
            // The long form, with the fewest octets that do; two suffice for any key of ours.
            let octets = length & 0x7F
            guard (1...2).contains(octets), end - start >= octets, der[start] != 0 else {
                return nil
            }
            length = 0
            for _ in 0..<octets {
                length = length << 8 | Int(der[start])
                start += 1
            }
            guard length >= 0x80 else { return nil }
        }
        guard end - start >= length else { return nil }
        position = start + length
        return start..<position
    }

    /// Steps over an INTEGER above zero, and answers where its significant octets are.
    mutating func positiveInteger(in der: Span<UInt8>) -> Range<Int>? {
        guard let content = element(in: der, tag: Self.integer), let first = content.first,
            der[first] < 0x80
        else { return nil }
        guard der[first] == 0 else { return content }
        // A leading zero octet only keeps the number from being negative.
        guard content.count > 1, der[first + 1] >= 0x80 else { return nil }
        return content.dropFirst()
    }
}

extension Span<UInt8> {
    fileprivate func bytes(in range: Range<Int>) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        for index in range { octets.append(self[index]) }
        return octets
    }

    fileprivate func holds(_ octets: [UInt8], at range: Range<Int>) -> Bool {
        guard octets.count == range.count else { return false }
        for index in range where self[index] != octets[index - range.lowerBound] { return false }
        return true
    }
}
