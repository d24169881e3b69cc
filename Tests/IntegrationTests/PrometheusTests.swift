import Foundation
import TestKit
import Testing

/// A real Prometheus that scrapes a running suite through socket activation, as the package's units have it.
@Suite(.serialized, .enabled(if: (try? Command.path(of: "prometheus")) != nil))
struct PrometheusTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../..").standardized.path

    @Test func scrapesARunningSuite() throws {
        let host = try ExplainHost()
        _ = try host.deliver(
            ExplainHost.message("scraped", from: "ann@example.org"), from: "ann@example.org",
            at: "203.0.113.7")
        let ports = try LoopbackPort.free(2)
        let (metrics, web) = (ports[0], ports[1])
        let activation = try ChildProcess(
            try Command.path(of: "systemd-socket-activate"),
            [
                "--inetd", "-a", "-l", "127.0.0.1:\(metrics)",
                try DaemonProcess.path(of: "signet"), "metrics", "--http", "--config",
                host.folder.path,
            ], descriptors: [.file(host.folder.file("activate.log"), as: 2)])
        defer { activation.kill() }
        let rules = "\(Self.project)/packaging/doc/metrics/alerts.yaml"
        let configuration = try host.folder.write(
            """
            global: {scrape_interval: 1s}
            rule_files: ["\(rules)"]
            scrape_configs:
              - job_name: signet
                static_configs: [{targets: ["127.0.0.1:\(metrics)"]}]

            """, to: "prometheus.yml")
        let prometheus = try ChildProcess(
            try Command.path(of: "prometheus"),
            [
                "--config.file=\(configuration)", "--storage.tsdb.path=\(host.folder.file("tsdb"))",
                "--web.listen-address=127.0.0.1:\(web)",
            ],
            descriptors: [.file(host.folder.file("prometheus.log"), as: 2)])
        defer { prometheus.kill() }
        func value(_ expression: String) throws -> String? {
            let result = try Command.run(
                "promtool", ["query", "instant", "http://127.0.0.1:\(web)", expression])
            // `{} => 4 @[1764268800]`
            let words = result.output.split(whereSeparator: \.isWhitespace)
            guard result.succeeded, let arrow = words.firstIndex(of: "=>") else { return nil }
            return words.dropFirst(arrow + 1).first.map(String.init)
        }
        for (expression, expected) in [
            ("count(signet_up == 1)", "4"),
            ("sum(signet_messages_total{daemon=\"dkim\",verdict=\"signed\"})", "1"),
            ("sum(signet_dkim_signatures_total{domain=\"example.org\"})", "1"),
            ("count(signet_build_info)", "4"),
            ("count(signet_sessions)", "4"),
            ("count(signet_key_state{domain=\"example.org\",state=\"published\"})", "1"),
            ("count(signet_key_age_seconds{domain=\"example.org\"})", "1"),
            ("count(signet_config_reloads_total{result=\"ok\"})", "4"),
        ] {
            var last: String?
            _ = try? wait(for: expression, seconds: 30) {
                last = try value(expression)
                return last == expected ? true : nil
            }
            #expect(last == expected, "\(expression)")
        }
    }
}
