import Foundation
import TestKit

/// One of the folders of packaging/examples/scrub: the lines that a postmaster adds, taken apart for a private Postfix.
struct ScrubTopology: Sendable {
    /// The folder's name.
    let name: String

    private static let examples = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("packaging/examples/scrub")

    /// The header_checks that all folders share.
    static var headerChecks: String {
        get throws {
            try String(
                contentsOf: examples.appendingPathComponent("scrub_header_checks"), encoding: .utf8)
        }
    }

    /// The text of a file of the folder; nil where it has none of that name.
    func text(_ file: String) -> String? {
        try? String(
            contentsOf: Self.examples.appendingPathComponent("\(name)/\(file)"), encoding: .utf8)
    }

    /// Whether Dovecot's submission service is in front, and tells Postfix who its clients are.
    var dovecotIsTrusted: Bool? {
        guard let text = text("dovecot.conf"), text.contains("submission_relay_host") else {
            return nil
        }
        return text.contains("submission_relay_trusted = yes")
    }

    /// The folder's lines for Dovecot, with the paths and the ports of a private Postfix.
    func dovecotConfiguration(_ postfix: PostfixInstance, relayPort: UInt16) -> String {
        (text("dovecot.conf") ?? "")
            .replacing("/var/spool/postfix", with: postfix.queueDirectory)
            .replacing("relay_host = localhost", with: "relay_host = 127.0.0.1")
            .replacing("relay_port = 10587", with: "relay_port = \(relayPort)")
    }

    /// Adds the folder's lines to a configuration.
    ///
    /// Without Signet, what is left is what was there before: the same services, no milters, the usual cleanup.
    func apply(to configuration: inout PostfixConfiguration, withSignet: Bool) {
        if withSignet, let mainCF = try? ExampleFile("scrub/\(name)/main.cf") {
            configuration.settings.merge(mainCF.settings) { _, example in example }
        }
        configuration.listeners = [PostfixConfiguration.Listener("smtp")]
        for line in logicalLines("master.cf") {
            let words = line.split(separator: " ").map(String.init)
            var overrides: [String: String] = [:]
            for word in words where word.contains("=") {
                let parts = word.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                overrides[String(parts[0])] = String(parts[1])
            }
            if !withSignet {
                for name in ["smtpd_milters", "cleanup_service_name", "smtpd_hide_client_session"] {
                    overrides[name] = nil
                }
            }
            if words[1] == "inet" {
                configuration.listeners.append(PostfixConfiguration.Listener(words[0], overrides))
            } else {
                let options = overrides.sorted { $0.key < $1.key }.map {
                    "  -o \($0.key)=\($0.value)"
                }
                configuration.services += [words[0...7].joined(separator: " ")] + options
            }
        }
    }

    /// The listener that takes in users' mail, or Dovecot's.
    var listener: String {
        logicalLines("master.cf").first?.split(separator: " ").first.map(String.init) ?? "smtp"
    }

    /// The lines of a file, each with those that continue it, without comments; none where there is no such file.
    private func logicalLines(_ file: String) -> [String] {
        (try? ExampleFile("scrub/\(name)/\(file)"))?.logicalLines ?? []
    }
}
