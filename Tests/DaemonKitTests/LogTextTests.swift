import TestKit
import Testing

@testable import DaemonKit

@Suite struct LogTextTests {
    @Test func `safe text is short, on one line, and stays as it is`() {
        var numbers = SeededGenerator(seed: 3)
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
