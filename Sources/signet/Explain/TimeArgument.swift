import ArgumentParser
import Foundation

/// Times as the command line gives and takes them.
enum TimeArgument {
    /// Reads a span: `90`, `10s`, `5m`, `1h`, `7d`, `2w`; in seconds.
    static func span(_ text: String) throws -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard let count = Int64(digits), (1...100_000_000).contains(count) else {
            throw ValidationError("\"\(text)\" is not a time such as 90s, 5m, 1h or 7d")
        }
        return count * (unit ?? 1)
    }

    /// Reads a moment: seconds since 1970, a date with a time, as logs and stories have it too, or a time of today; in microseconds since
    /// 1970.
    static func moment(_ text: String, now: Date = Date()) throws -> Int64 {
        if let seconds = Int64(text), (0...10_000_000_000).contains(seconds), text.count > 6 {
            return seconds * 1_000_000
        }
        if let time = zoned(text) { return time }
        // Nobody looks for a fraction of a second.
        let fraction = text.lastIndex(of: ".").map { text[$0...] } ?? ""
        let isFraction = fraction.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
        let text = isFraction ? String(text.dropLast(fraction.count)) : text
        let today = formatter("yyyy-MM-dd").string(from: now)
        for format in ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm"] {
            for candidate in [text.replacingOccurrences(of: "T", with: " "), "\(today) \(text)"] {
                if let date = formatter(format).date(from: candidate) {
                    return Int64(date.timeIntervalSince1970) * 1_000_000
                }
            }
        }
        throw ValidationError("\"\(text)\" is not a time such as 14:05 or \"2026-11-27 14:05\"")
    }

    /// A date with a time and its zone, as RFC 3339 has it.
    private static func zoned(_ text: String) -> Int64? {
        let formatter = ISO8601DateFormatter()
        for options: ISO8601DateFormatter.Options in [[], .withFractionalSeconds] {
            formatter.formatOptions = [.withInternetDateTime, options]
            guard let date = formatter.date(from: text) else { continue }
            return Int64(date.timeIntervalSince1970) * 1_000_000
        }
        return nil
    }

    /// A moment in the zone of this host.
    static func text(_ microseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(microseconds) / 1e6)
        return shown.string(from: date)
    }

    /// Made once: a list has thousands of times.
    private static let shown = formatter("yyyy-MM-dd HH:mm:ss.SSS")

    private static func formatter(_ format: String) -> DateFormatter {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = format
        return formatter
    }
}
