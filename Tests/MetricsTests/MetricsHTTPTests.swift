import Testing

@testable import Metrics

/// Answers to HTTP requests, which anyone may have written.
@Suite struct MetricsHTTPTests {
    private func answer(_ request: String) -> String {
        let octets = MetricsHTTP.response(to: Array(request.utf8)) { form in
            switch form {
            case .openMetrics: "open"
            case .prometheus: "prometheus"
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    @Test(arguments: [
        ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200", "prometheus"),
        ("GET /metrics?x=1 HTTP/1.1\r\n\r\n", "200", "prometheus"),
        ("GET / HTTP/1.0\n\n", "200", "prometheus"),
        (
            "GET /metrics HTTP/1.1\r\naccept: application/openmetrics-text;q=0.8\r\n\r\n", "200",
            "open"
        ),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200", ""),
        ("GET /etc/passwd HTTP/1.1\r\n\r\n", "404", "See /metrics\n"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405", "Only GET and HEAD\n"),
        ("GET /metrics HTTP/1.1\r\n", "400", "Bad request\n"),
        ("", "400", "Bad request\n"), ("\u{0}\r\n\r\n", "400", "Bad request\n"),
        ("GET /metrics\r\n\r\n", "400", "Bad request\n"),
    ])
    func isAnswered(_ request: String, _ status: String, _ body: String) {
        let text = answer(request)
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(text.hasSuffix("\r\nConnection: close\r\n\r\n\(body)"))
    }
}
