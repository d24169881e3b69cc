package import Configuration

/// What the configuration says about a daemon's metrics.
package struct MetricsSettings: Hashable, Sendable {
    /// Where the metrics are given; nil for nowhere.
    package var socket: String?
    /// Whether the configuration names the socket; the default one's directory is made by the unit alone.
    package var isNamed = true

    /// The directive of a daemon, by its short name.
    package static func directive(_ shortName: String) -> DirectiveSpec {
        DirectiveSpec(
            "Metrics", .text, default: defaultSocket(shortName), needsRestart: true,
            "The unix socket on which \"signet metrics\" reads; none opens none.")
    }

    /// The socket if nothing is said.
    package static func defaultSocket(_ shortName: String) -> String {
        "/run/signet-\(shortName)/metrics.sock"
    }

    /// No metrics.
    package static let none = MetricsSettings(socket: nil)

    /// Metrics on a socket.
    package init(socket: String?) { self.socket = socket }

    /// Reads the directive; what is wrong is reported to the reader.
    package init(_ reader: ConfigurationReader) {
        isNamed = reader.isSet("Metrics")
        guard let text = reader.text("Metrics"), text != "none" else { return }
        guard text.hasPrefix("/"), text.utf8.count <= UnixSocket.longestPath else {
            reader.report(
                .error, "Metrics",
                "\"\(text)\" is not an absolute path of at most \(UnixSocket.longestPath) octets",
                suggestion: "write the path in full, or none")
            return
        }
        socket = text
    }
}
