import Foundation
import FuzzTargets
import Testing

/// Feeds each target its corpus, and all that once broke it.
@Suite struct ReplayTests {
    private static let home = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz")

    private static func inputs(_ folder: String, _ target: FuzzTarget) throws -> [URL] {
        let place = home.appending(path: "\(folder)/\(target.rawValue)")
        guard FileManager.default.fileExists(atPath: place.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: place, includingPropertiesForKeys: nil)
    }

    @Test(arguments: FuzzTarget.allCases)
    func promisesHold(target: FuzzTarget) throws {
        let corpus = try Self.inputs("Corpora", target)
        #expect(!corpus.isEmpty)
        for file in corpus + (try Self.inputs("Regressions", target)) {
            let input = try Data(contentsOf: file)
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try target.check(Array(input))
            }
        }
    }

    /// Each seed cut short, and with each octet changed.
    @Test(arguments: FuzzTarget.allCases)
    func promisesHoldForWhatIsNearTheCorpus(target: FuzzTarget) throws {
        for file in try Self.inputs("Corpora", target) {
            let input = Array(try Data(contentsOf: file))
            let step = 1 + input.count / 64
            for position in stride(from: 0, to: input.count, by: step) {
                var changed = input
                changed[position] ^= UInt8(truncatingIfNeeded: 1 << (position % 8))
                for near in [changed, Array(input[..<position]), Array(input[position...])] {
                    #expect(throws: Never.self, "\(file.lastPathComponent) near \(position)") {
                        try target.check(near)
                    }
                }
            }
        }
    }
}
