/// One answer to one HTTP request, for a socket unit that starts a process for each connection.
///
/// Trust: anyone who can reach the port writes the request; only its first line and its Accept field
/// are looked at.
package enum MetricsHTTP {
    /// The most octets of a request that are read.
    package static let longestRequest = 8_192

    /// Whether a request is complete: its header section has ended.
    package static func isComplete(_ request: [UInt8]) -> Bool {
        let text = String(decoding: request, as: UTF8.self)
        return text.contains("\r\n\r\n") || text.contains("\n\n")
    }

    /// Answers a request (RFC 9112): GET or HEAD of `/metrics` or `/`.
    ///
    /// - Parameters:
    ///   - request: what has come.
    ///   - text: gives the metrics; called only where they are wanted.
    /// - Returns: the octets of the response, after which the connection ends.
    package static func response(
        to request: [UInt8], text: (MetricsText.Form) -> String
    ) -> [UInt8] {
        let lines = String(decoding: request.prefix(longestRequest), as: UTF8.self)
            .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        let words = (lines.first ?? "").split(separator: " ")
        guard isComplete(request), words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return response("400 Bad Request", "text/plain", "Bad request\n", true)
        }
        guard words[0] == "GET" || words[0] == "HEAD" else {
            return response(
                "405 Method Not Allowed", "text/plain", "Only GET and HEAD\n", true,
                "Allow: GET, HEAD\r\n")
        }
        let path = words[1].prefix { $0 != "?" }
        let hasBody = words[0] == "GET"
        guard path == "/metrics" || path == "/" else {
            return response("404 Not Found", "text/plain", "See /metrics\n", hasBody)
        }
        let form = form(lines.dropFirst())
        return response("200 OK", form.mediaType, text(form), hasBody)
    }

    /// The form that the client takes: Prometheus' own where it does not ask for OpenMetrics.
    private static func form(_ fields: ArraySlice<Substring>) -> MetricsText.Form {
        let wantsOpenMetrics = fields.contains { field in
            let field = field.lowercased()
            return field.hasPrefix("accept:") && field.contains("application/openmetrics-text")
        }
        return wantsOpenMetrics ? .openMetrics : .prometheus
    }

    private static func response(
        _ status: String, _ type: String, _ body: String, _ hasBody: Bool, _ more: String = ""
    ) -> [UInt8] {
        let head =
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
            + "\(more)Connection: close\r\n\r\n"
        return Array((hasBody ? head + body : head).utf8)
    }
}
