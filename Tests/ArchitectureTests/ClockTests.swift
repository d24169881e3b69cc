import Foundation
import Testing

/// The engines, and the pipeline over them, read no clock: time is passed in, so that a message can
/// be evaluated again.
@Suite struct ClockTests {
    /// What reads a clock, or names the system's.
    private static var clock: Regex<Substring> {
        // swift-format-ignore
        /\.now\(\)|clock_gettime|gettimeofday|\btime\((?:nil|&)|Date\(\)|\.system\b|(?:Continuous|Suspending)Clock/
    }

    @Test(arguments: [
        "HeaderScrub", "MailAuth", "MailCrypto", "MailEvaluation", "MailSyntax", "Milter",
        "Traffic",
    ])
    func engineNamesNoClock(_ module: String) throws {
        let lines = try Sources.lines(of: module)
        #expect(!lines.isEmpty)
        for line in lines where !line.drop(while: \.isWhitespace).hasPrefix("//") {
            // The caller's clock is a value that the engines are given.
            let rest = line.replacing("time.now()", with: "").replacing(" now()", with: "")
            #expect(rest.firstMatch(of: Self.clock) == nil, "\(module): \(line)")
        }
    }

    @Test func thePatternFindsAClock() {
        for line in ["let start = MonotonicTime.now()", "SPFEvaluator(time: .system)"] {
            #expect(line.firstMatch(of: Self.clock) != nil)
        }
    }
}
