/// Codes for values that are not to be read in a record: SipHash-2-4 with a key of the record's own.
///
/// The hash is of 64 bits under a key of 128 that only readers of the record have
/// (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): without the key nobody can
/// try out addresses against it.
package struct FlightCode: Hashable, Sendable {
    private let key: (UInt64, UInt64)

    /// The octets of a key.
    static let keyLength = 16

    /// Takes a key; missing octets count as zero.
    init(key octets: [UInt8]) {
        key = (Self.word(octets.prefix(8)), Self.word(octets.dropFirst(8).prefix(8)))
    }

    package static func == (left: FlightCode, right: FlightCode) -> Bool { left.key == right.key }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(key.0)
        hasher.combine(key.1)
    }

    /// The code of a value, without regard to case: `~` and 16 hexadecimal digits.
    package func text(of value: String) -> String {
        let digits = String(hash(Array(value.lowercased().utf8)), radix: 16)
        return "~" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// SipHash-2-4.
    func hash(_ octets: [UInt8]) -> UInt64 {
        var state = State(key)
        var rest = octets[...]
        while rest.count >= 8 {
            state.absorb(Self.word(rest.prefix(8)))
            rest = rest.dropFirst(8)
        }
        state.absorb(Self.word(rest) | UInt64(truncatingIfNeeded: octets.count) << 56)
        return state.finish()
    }

    /// Eight octets, the lowest first.
    private static func word(_ octets: ArraySlice<UInt8>) -> UInt64 {
        octets.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private struct State {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        init(_ key: (UInt64, UInt64)) {
            v0 = key.0 ^ 0x736f_6d65_7073_6575
            v1 = key.1 ^ 0x646f_7261_6e64_6f6d
            v2 = key.0 ^ 0x6c79_6765_6e65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func finish() -> UInt64 {
            v2 ^= 0xFF
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func round() {
            v0 &+= v1
            v1 = Self.rotated(v1, 13) ^ v0
            v0 = Self.rotated(v0, 32)
            v2 &+= v3
            v3 = Self.rotated(v3, 16) ^ v2
            v0 &+= v3
            v3 = Self.rotated(v3, 21) ^ v0
            v2 &+= v1
            v1 = Self.rotated(v1, 17) ^ v2
            v2 = Self.rotated(v2, 32)
        }

        private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
            word << count | word >> (64 - count)
        }
    }
}
