import Foundation
import TestKit
import Testing

/// The alert rules that the package ships: when each alert comes, by Prometheus' own test runner.
@Suite(.enabled(if: (try? Command.path(of: "promtool")) != nil))
struct AlertRuleTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../..").standardized.path

    @Test func eachAlertComesWhenItShould() throws {
        let folder = try TemporaryDirectory("signet-alerts")
        let rules = try String(
            contentsOfFile: "\(Self.project)/packaging/doc/metrics/alerts.yaml", encoding: .utf8)
        let cases = try String(
            contentsOfFile: "\(Self.project)/Tests/MetricsTests/alerts.test.yaml", encoding: .utf8)
        _ = try folder.write(rules, to: "alerts.yaml")
        let file = try folder.write(cases, to: "alerts.test.yaml")
        let result = try Command.run("promtool", ["test", "rules", file])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        // Each alert is tried.
        for line in rules.split(separator: "\n") {
            guard let range = line.firstRange(of: "- alert: ") else { continue }
            #expect(cases.contains("alertname: \(line[range.upperBound...])\n"), "\(line)")
        }
    }
}
