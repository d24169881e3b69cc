import TestKit
import Testing

@testable import Metrics

/// Instruments, and their text.
@Suite struct MetricsTextTests {
    private static func instruments() -> [any Instrument] {
        let messages = Counter(
            MetricName("signet_messages", "Messages by what was done with them"),
            labels: ["verdict"], known: [["refused"]])
        messages.add(["signed"], count: 3)
        let seconds = Histogram(
            MetricName("signet_decision_seconds", unit: "seconds", "From the message's begin"),
            bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7, -1, .nan] { seconds.observe(value) }
        let sessions = Gauge(MetricName("signet_sessions", "Connections \"now\" \\ open")) { 2 }
        return [messages, seconds, sessions]
    }

    @Test func openMetrics() {
        let text = MetricsText.text(of: Self.instruments().map(\.family))
        #expect(
            text == """
                # TYPE signet_messages counter
                # HELP signet_messages Messages by what was done with them
                signet_messages_total{verdict="refused"} 0
                signet_messages_total{verdict="signed"} 3
                # TYPE signet_decision_seconds histogram
                # UNIT signet_decision_seconds seconds
                # HELP signet_decision_seconds From the message's begin
                signet_decision_seconds_bucket{le="0.1"} 4
                signet_decision_seconds_bucket{le="1.0"} 5
                signet_decision_seconds_bucket{le="+Inf"} 6
                signet_decision_seconds_sum 7.65
                signet_decision_seconds_count 6
                # TYPE signet_sessions gauge
                # HELP signet_sessions Connections \\"now\\" \\\\ open
                signet_sessions 2
                # EOF

                """)
    }

    @Test func whatIsReadIsWhatWasWritten() {
        let families = Self.instruments().map(\.family)
        #expect(MetricsParser.families(in: MetricsText.text(of: families)) == families)
    }

    @Test func combinationsAreBounded() {
        let counter = Counter(MetricName("a", "b"), labels: ["x", "y"], limit: 3)
        for index in 0..<10 { counter.add(["\(index)", "z"]) }
        let samples = counter.family.samples
        #expect(samples.count == 4)
        #expect(samples.last?.labels.map(\.value) == ["other", "other"])
        #expect(samples.last?.value == "7")
    }

    @Test func daemonsAreMerged() {
        let families = Self.instruments().map(\.family)
        let merged = MetricsText.merged([("dkim", families), ("spf", families)])
        let text = MetricsText.text(of: merged)
        #expect(text.ranges(of: "# TYPE signet_messages counter").count == 1)
        #expect(text.contains("signet_messages_total{daemon=\"spf\",verdict=\"signed\"} 3\n"))
        #expect(text.hasSuffix("\n# EOF\n"))
    }

    /// A daemon that was taken over cannot break what is put together.
    @Test(arguments: [
        "# TYPE a counter\na_total{x=\"1} 2\n", "# TYPE a counter\na_total 1 2 3\n# EOF\n# EOF\n",
        "# TYPE a-b counter\na-b_total 1\n", "# TYPE a nonsense\na 1\n", "a 1\n", "# TYPE a",
        "# TYPE a gauge\na{x=\"\\", "# TYPE a gauge\na{x", "# TYPE a gauge\na{1x=\"\"} 1\n",
        "# TYPE a gauge\na_evil 1\n", "# TYPE a gauge\na one\n",
        "# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n", "# TYPE a gauge\na{daemon=\"x\"} 1\n",
        "# TYPE a gauge\na 0x1p3\n", "# TYPE a gauge\na infinity\n", "# TYPE a counter\na_sum 1\n",
    ])
    func whatIsNoMetricIsPassedOver(_ text: String) {
        #expect(MetricsParser.families(in: text) == [])
    }

    @Test func ofOneSampleTwiceTheFirstCounts() {
        let text = "# TYPE a gauge\na{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\na{x=\"1\"} 3\n"
        #expect(MetricsParser.families(in: text).first?.samples.map(\.value) == ["1", "3"])
    }

    /// Prometheus' own reader of OpenMetrics, where Debian's python3-prometheus-client is installed.
    @Test
    func othersReadIt() throws {
        let text = MetricsText.text(of: Self.instruments().map(\.family))
        let folder = try Folder(["metrics": text])
        let script = """
            import sys
            try:
                from prometheus_client.openmetrics.parser import text_string_to_metric_families
            except ImportError:
                print("absent"); sys.exit(0)
            print(len(list(text_string_to_metric_families(open(sys.argv[1]).read()))))
            """
        let answer = try Command.require("python3", ["-c", script, folder.file("metrics")])
        #expect(answer == "3\n" || answer == "absent\n")
    }

    /// Prometheus' own linter, where Debian's prometheus is installed.
    @Test(.enabled(if: (try? Command.path(of: "promtool")) != nil))
    func promtoolAcceptsIt() throws {
        let text = MetricsText.text(of: Self.instruments().map(\.family), .prometheus)
        let result = try Command.run("promtool", ["check", "metrics"], input: Array(text.utf8))
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }
}
