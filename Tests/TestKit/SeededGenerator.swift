/// Random numbers that are the same in each run (SplitMix64), so that what fails can be repeated.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Begins the sequence of a seed; other seeds give other sequences.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// True once in so many times.
    public mutating func chance(_ times: Int) -> Bool {
        Int.random(in: 0..<times, using: &self) == 0
    }

    /// Some octets, drawn from a list.
    public mutating func bytes(upTo length: Int, from octets: [UInt8]) -> [UInt8] {
        (0..<Int.random(in: 0...length, using: &self)).map { _ in
            octets[Int.random(in: octets.indices, using: &self)]
        }
    }
}
