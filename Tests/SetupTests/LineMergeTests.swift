import Testing

@testable import Setup

/// Two changes of one file: both, or none where they concern the same lines.
@Suite struct LineMergeTests {
    /// Files as words, a line each; `+` begins a line that goes on with the one before it.
    struct Case: CustomTestStringConvertible, Sendable {
        let base: String
        let one: String
        let other: String
        let both: String?

        init(_ base: String, _ one: String, _ other: String, _ both: String?) {
            (self.base, self.one, self.other, self.both) = (base, one, other, both)
        }

        var testDescription: String { "\(base): \(one) and \(other)" }
    }

    static let cases = [
        Case("a b c", "a b c", "a b c", "a b c"),
        Case("a b c", "a B c", "a b c", "a B c"),
        Case("a b c d", "A b c d", "a b c D", "A b c D"),
        Case("a b c", "a B c", "a B c", "a B c"),
        Case("a b c", "a B c", "a X c", nil),
        Case("a b c", "a c", "a X c", nil),
        // At the end of a file: what was put there goes, what came behind it stays.
        Case("a x y", "a", "a x y z", "a z"),
        Case("a x y", "a", "z a x y", "z a"),
        Case("a x y", "a", "a x z y", nil),
        Case("a x", "a", "a x +z", nil),
        Case("a", "a x", "a y", nil),
        Case("", "", "a", "a"),
        Case("a b", "b", "a", nil),
    ]

    private func file(_ words: String) -> [UInt8] {
        words.split(separator: " ").flatMap { word in
            Array((word.hasPrefix("+") ? "  \(word)\n" : "\(word)\n").utf8)
        }
    }

    @Test(arguments: cases)
    func `both changes are made, or none`(_ example: Case) {
        let (one, other) = (file(example.one), file(example.other))
        let expected = example.both.map(file)
        let base = file(example.base)
        #expect(LineMerge.merged(base: base, one, other) == expected)
        #expect(LineMerge.merged(base: base, other, one) == expected)
    }

    @Test func `octets that are no text, and a file without a last line feed, come through`() {
        let base: [UInt8] = [0xFF, 0x0A, 0x61]
        let one: [UInt8] = [0xFF, 0x0A, 0x61, 0x0A, 0x62]
        let other: [UInt8] = [0xFE, 0x0A, 0xFF, 0x0A, 0x61]
        #expect(
            LineMerge.merged(base: base, one, other) == [0xFE, 0x0A, 0xFF, 0x0A, 0x61, 0x0A, 0x62])
    }

    /// 100,000 lines, of which both change few.
    @Test func `what is the same at both ends is not compared`() {
        let lines = (0..<100_000).map { "line \($0)" }
        func file(_ change: (inout [String]) -> Void) -> [UInt8] {
            var changed = lines
            change(&changed)
            return Array(changed.joined(separator: "\n").utf8)
        }
        let merged = LineMerge.merged(
            base: file { _ in }, file { $0[50_000] = "one" }, file { $0[50_900] = "other" })
        #expect(
            merged
                == file {
                    $0[50_000] = "one"
                    $0[50_900] = "other"
                })
    }

    @Test func `files that have nothing in common are not merged`() {
        func file(_ word: String) -> [UInt8] {
            (0..<100_000).flatMap { Array("\(word) \($0)\n".utf8) }
        }
        #expect(LineMerge.merged(base: file("a"), file("b"), file("c")) == nil)
    }
}
