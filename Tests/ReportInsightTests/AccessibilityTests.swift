import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportInsight

/// The page for those who cannot see it well, or not at all.
@Suite struct AccessibilityTests {
    /// The relative luminance of a colour (WCAG 2.2).
    private func luminance(_ colour: Substring) -> Double {
        var digits = colour.dropFirst()
        if digits.count == 3 { digits = Substring(digits.flatMap { [$0, $0] }) }
        let bits = Int(digits, radix: 16) ?? 0
        let parts = [16, 8, 0].map { shift -> Double in
            let part = Double(bits >> shift & 0xFF) / 255
            return part <= 0.039_28 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    private func contrast(_ one: Substring, _ other: Substring) -> Double {
        let values = [luminance(one), luminance(other)].sorted()
        return (values[1] + 0.05) / (values[0] + 0.05)
    }

    @Test func `text has a contrast of 4.5 at least, in light and in dark`() throws {
        let sheet = InsightStyle.sheet.description
        let themes = sheet.matches(of: /:root\{([^}]*)\}/).map(\.output.1)
        #expect(themes.count == 2)
        for theme in themes {
            let colours = Dictionary(
                uniqueKeysWithValues: theme.matches(of: /--(\w+):(#[0-9a-f]+)/).map {
                    (String($0.output.1), $0.output.2)
                })
            for background in ["page", "box"] {
                for text in ["text", "soft", "pass", "fail", "some", "link"] {
                    let found = contrast(
                        try #require(colours[text]), try #require(colours[background]))
                    #expect(found >= 4.5, "\(text) on \(background): \(found)")
                }
            }
        }
    }

    @Test func `headings, tables and charts have what a screen reader needs`() throws {
        let folder = try TemporaryDirectory("signet-insight")
        let store = try ReceivedReportStore(.file(folder.file("r.db")))
        _ = try store.add(
            [try InsightTests.report("1", [.init("192.0.2.1", 3) { $0.isSPFAligned = true }])],
            at: 0)
        let page = InsightPage(try Insight(of: store, since: nil, today: 20_001)).html()
        #expect(page.contains("<html lang=\"en\">"))
        let levels = page.matches(of: /<h([1-6])/).compactMap { Int($0.output.1) }
        #expect(levels.first == 1)
        #expect(zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
        let tables = page.components(separatedBy: "<table>").count - 1
        #expect(tables >= 4)
        #expect(page.components(separatedBy: "<caption>").count - 1 == tables)
        #expect(!page.contains("<th>"))
        // Behind every chart there is a table with its numbers.
        let charts = page.components(separatedBy: "<svg").dropFirst()
        #expect(charts.count == 1)
        for chart in charts {
            #expect(chart.contains("role=\"img\"") && chart.contains("<title>"))
            #expect(chart.contains("The numbers of this chart"))
        }
    }
}
