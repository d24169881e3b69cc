import Testing

@testable import DaemonKit

@Suite struct LogTextTests {
    /// The same numbers in every run (SplitMix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func `safe text is short, on one line, and stays as it is`() {
        var numbers = Numbers(state: 3)
        let pieces = ["a", "\n", "\u{85}", "é", "\u{2028}", "😀", "\u{0}", "\u{202E}", "\\"]
        for _ in 0..<2000 {
            let limit = Int.random(in: 0...40, using: &numbers)
            let text = (0..<Int.random(in: 0...20, using: &numbers)).map { _ in
                pieces.randomElement(using: &numbers) ?? ""
            }.joined()
            let safe = LogText.safe(text, limit: limit)
            #expect(safe.utf8.count <= limit)
            #expect(LogText.safe(safe, limit: limit) == safe)
            let octets = (0..<40).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            #expect(LogText.safe(octets, limit: limit).utf8.count <= limit)
            #expect(!safe.unicodeScalars.contains { $0.value < 32 || $0.value == 0x85 })
        }
    }
}
