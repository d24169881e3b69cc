internal import Foundation
internal import Synchronization

/// What is written to standard output: tables in Markdown, and each limit with what was measured.
enum Report {
    /// Whether all limits were kept.
    static var isGood: Bool { missed.load(ordering: .relaxed) == 0 }
    private static let missed = Atomic<Int>(0)

    /// A table, whose rows `body` writes.
    static func table(_ heads: [String], _ body: () throws -> Void) rethrows {
        write("| " + heads.joined(separator: " | ") + " |")
        write("|" + heads.map { _ in "---|" }.joined())
        try body()
        write("")
    }

    /// A row with numbers.
    static func row(_ name: String, _ values: Double...) {
        write("| \(name) | " + values.map { round($0) }.joined(separator: " | ") + " |")
    }

    /// A number and its limit.
    static func limit(_ name: String, _ value: Double, atMost limit: Double) {
        let isKept = value <= limit
        if !isKept { missed.add(1, ordering: .relaxed) }
        write("- \(name): \(round(value)) (at most \(round(limit)))\(isKept ? "" : " **missed**")")
    }

    /// A row that compares a program with the floor of the same run.
    static func ratio(_ name: String, _ ours: [Double], floor: [Double], atMost limit: Double?) {
        let ratio = zip(ours, floor).map { $0 / $1 }.median
        let isKept = ratio <= limit ?? .infinity
        if !isKept { missed.add(1, ordering: .relaxed) }
        let numbers = [ours.median, floor.median, ratio].map(round).joined(separator: " | ")
        let verdict = "\(limit.map(round) ?? "–")\(isKept ? "" : " **missed**")"
        write("| \(name) | \(numbers) | \(verdict) |")
    }

    /// A line.
    static func write(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    /// A number as tables have it.
    static func round(_ value: Double) -> String {
        String(format: abs(value) < 10 ? "%.2f" : "%.0f", value)
    }
}

extension [Double] {
    /// The middle one.
    var median: Double {
        let sorted = sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }

    /// The smallest that at least a part of them does not exceed.
    func percentile(_ part: Double) -> Double {
        let sorted = sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[Swift.min(sorted.count - 1, Int(part * Double(sorted.count)))]
    }
}
