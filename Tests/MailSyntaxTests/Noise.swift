/// A small repeatable source of hostile input (xorshift64*).
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// Some octets, drawn from a list.
    mutating func bytes(upTo length: Int, from octets: [UInt8]) -> [UInt8] {
        (0..<Int.random(in: 0...length, using: &self)).map { _ in
            octets[Int.random(in: octets.indices, using: &self)]
        }
    }
}
