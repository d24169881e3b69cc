/// IP addresses as text: dotted quads, and RFC 4291 (reading) and RFC 5952 (writing) for IPv6.
///
/// Trust: hostile text. Nothing longer than 45 octets is looked at.

extension IPAddress {
    /// Reads an address: a strict dotted quad, or any form of RFC 4291, section 2.2.
    ///
    /// No leading zeros in a dotted quad (they mean octal to some readers), no zone identifiers, no
    /// brackets, no white space.
    public init?(_ text: some StringProtocol) {
        self.init(bytes: Array(text.utf8.prefix(IPAddress.longestText + 1)).span)
    }

    /// Reads an address from ASCII octets, as from text.
    @inlinable public init?(bytes: some Collection<UInt8>) {
        self.init(bytes: Array(bytes.prefix(IPAddress.longestText + 1)).span)
    }

    /// Reads an address from ASCII octets, as from text.
    public init?(bytes text: Span<UInt8>) {
        guard text.count <= IPAddress.longestText else { return nil }
        if text.firstIndex(of: 0x3A) != nil {
            guard let bits = IPAddress.parseV6(text) else { return nil }
            self = .v6(bits)
        } else {
            guard let bits = IPAddress.parseV4(text) else { return nil }
            self = .v4(bits)
        }
    }

    /// The length of the longest text: six full groups and a full dotted quad.
    @usableFromInline static let longestText = 45

    private static func parseV4(_ text: Span<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in text.indices {
            let character = text[index]
            if character == 0x2E {
                guard digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | octet
                (octet, digits) = (0, 0)
                dots += 1
            } else {
                guard character.isASCIIDigit, digits == 0 || octet > 0 else { return nil }
                octet = octet * 10 + UInt32(character - 0x30)
                digits += 1
                guard octet <= 255 else { return nil }
            }
        }
        return digits > 0 && dots == 3 ? bits << 8 | octet : nil
    }

    private static func parseV6(_ text: Span<UInt8>) -> UInt128? {
        var groups: [UInt16] = []
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == 0x3A, text[1] == 0x3A {
            gap = 0
            index = 2
        }
        while index < text.count {
            // One group, or a dotted quad at the very end.
            var end = index
            var group: UInt32 = 0
            while end < text.count, let digit = text[end].hexDigitValue, end - index < 5 {
                group = group << 4 | UInt32(digit)
                end += 1
            }
            if end < text.count, text[end] == 0x2E {
                guard groups.count <= 6, let quad = parseV4(text.extracting(index...)) else {
                    return nil
                }
                groups.append(UInt16(truncatingIfNeeded: quad >> 16))
                groups.append(UInt16(truncatingIfNeeded: quad))
                index = text.count
                break
            }
            guard 1...4 ~= end - index, groups.count < 8 else { return nil }
            groups.append(UInt16(truncatingIfNeeded: group))
            if end == text.count { break }
            // What follows a group is a colon and another group, or the one gap.
            guard text[end] == 0x3A, end + 1 < text.count else { return nil }
            index = end + 1
            if text[index] == 0x3A {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            }
        }
        // RFC 4291, section 2.2: "::" stands for one or more groups of zeros.
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The dotted quad, or the canonical IPv6 text (RFC 5952, sections 4 and 5).
    public var description: String {
        switch self {
        case .v4(let bits): IPAddress.dottedQuad(bits)
        case .v6(let bits) where bits >> 32 == 0xFFFF:
            // Section 5: the well-known prefix of IPv4-mapped addresses calls for mixed notation.
            "::ffff:" + IPAddress.dottedQuad(UInt32(truncatingIfNeeded: bits))
        case .v6(let bits): IPAddress.canonicalV6(bits)
        }
    }

    private static func dottedQuad(_ bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
    }

    private static func canonicalV6(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
        // Section 4.2: the longest run of two zero groups or more, the first of equals.
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > longest.count { longest = start..<end }
            start = max(end, start + 1)
        }
        let text = groups.map { String($0, radix: 16) }
        guard !longest.isEmpty else { return text.joined(separator: ":") }
        return text[..<longest.lowerBound].joined(separator: ":") + "::"
            + text[longest.upperBound...].joined(separator: ":")
    }
}
