/// An IPv4 or IPv6 address.
///
/// Trust: parses text that an attacker may have written; never traps.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address, most significant octet first.
    case v4(UInt32)
    /// An IPv6 address, most significant octet first.
    case v6(UInt128)
}

extension IPAddress {
    /// The IPv4 address inside an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2); any other as it is.
    public var unmapped: IPAddress {
        guard case .v6(let bits) = self, bits >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: bits))
    }

    /// Whether this is an address of the host itself: 127.0.0.0/8 or ::1, mapped or not.
    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }

    /// The number of bits of an address of this family: 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The octets in network order: 4 or 16.
    public var octets: [UInt8] {
        switch self {
        case .v4(let bits): (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
        case .v6(let bits): (0..<16).map { UInt8(truncatingIfNeeded: bits >> (120 - 8 * $0)) }
        }
    }

    /// The address in 4 or 16 octets of network order; nil for any other count.
    public init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4: self = .v4(octets.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = .v6(octets.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    /// The name under which the DNS keeps this address's PTR record.
    ///
    /// Octets under in-addr.arpa (RFC 1035, section 3.5), nibbles under ip6.arpa (RFC 3596, section 2.5).
    public var reverseName: String {
        switch self {
        case .v4:
            octets.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
        case .v6(let bits):
            (0..<32).map { String(UInt8(truncatingIfNeeded: bits >> (4 * $0)) & 0xF, radix: 16) }
                .joined(separator: ".") + ".ip6.arpa"
        }
    }
}

extension IPAddress: Comparable {
    /// Orders IPv4 before IPv6, and each by value.
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        switch (a, b) {
        case (.v4(let x), .v4(let y)): x < y
        case (.v6(let x), .v6(let y)): x < y
        case (.v4, .v6): true
        case (.v6, .v4): false
        }
    }
}
