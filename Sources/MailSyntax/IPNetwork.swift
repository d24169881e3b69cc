/// A range of IP addresses: an address and the length of its prefix.
///
/// Trust: reads what an administrator or an SPF record wrote; never traps.
public struct IPNetwork: Hashable, Sendable {
    /// The first address of the network: all bits after the prefix are zero.
    public let address: IPAddress
    /// The number of bits that the network's addresses have in common.
    public let prefixLength: Int
    /// Whether the address it was made from had bits set after the prefix.
    ///
    /// Such a network is meant, as `192.0.2.1/24` is by most who write it, yet worth a warning. It takes
    /// no part in equality.
    public let hadHostBits: Bool

    /// The network that an address lies in; nil where the length does not fit the address's family.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard 0...address.bitWidth ~= prefixLength else { return nil }
        let hostBits = address.bitWidth - prefixLength
        switch address {
        // Swift's shifts do not trap: a shift by the whole width leaves zero.
        case .v4(let bits): self.address = .v4((bits >> hostBits) << hostBits)
        case .v6(let bits): self.address = .v6((bits >> hostBits) << hostBits)
        }
        self.prefixLength = prefixLength
        hadHostBits = self.address != address
    }

    /// The network of one address.
    public init(_ address: IPAddress) {
        self.address = address
        prefixLength = address.bitWidth
        hadHostBits = false
    }

    /// Reads `address/length`, or a bare address, which is a network of one.
    ///
    /// The address may stand in brackets, as in main.cf: `[2001:db8::]/32` or `[2001:db8::/32]`.
    public init?(_ text: some StringProtocol) {
        let inner = IPNetwork.withoutBrackets(Substring(text))
        guard let slash = inner.firstIndex(of: "/") else {
            guard let address = IPAddress(inner) else { return nil }
            self.init(address)
            return
        }
        let isBracketed = inner.startIndex > text.startIndex
        let before = inner[..<slash]
        let digits = inner[inner.index(after: slash)...].utf8
        guard let address = IPAddress(isBracketed ? before : IPNetwork.withoutBrackets(before)),
            1...3 ~= digits.count, digits.allSatisfy(\.isASCIIDigit),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        self.init(address, prefixLength: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }

    private static func withoutBrackets(_ text: Substring) -> Substring {
        text.first == "[" && text.last == "]" ? text.dropFirst().dropLast() : text
    }

    /// Whether an address lies in the network; an IPv4-mapped IPv6 address counts as the IPv4 address.
    ///
    /// A network that is itself written in mapped form, `::ffff:192.0.2.0/120`, holds IPv4 addresses.
    public func contains(_ candidate: IPAddress) -> Bool {
        switch (address, candidate.unmapped) {
        case (.v4(let network), .v4(let bits)):
            return (network ^ bits) >> (32 - prefixLength) == 0
        case (.v6(let network), .v6(let bits)):
            return (network ^ bits) >> (128 - prefixLength) == 0
        case (.v6(let network), .v4(let bits)):
            guard prefixLength >= 96 else { return false }
            return (network ^ (0xFFFF << 32 | UInt128(bits))) >> (128 - prefixLength) == 0
        case (.v4, .v6):
            return false
        }
    }

    /// Whether two networks hold the same addresses.
    public static func == (a: IPNetwork, b: IPNetwork) -> Bool {
        a.address == b.address && a.prefixLength == b.prefixLength
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(prefixLength)
    }
}

extension IPNetwork: CustomStringConvertible {
    /// The masked address, a slash and the prefix length.
    public var description: String { "\(address)/\(prefixLength)" }
}
