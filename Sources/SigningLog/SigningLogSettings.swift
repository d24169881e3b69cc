package import Configuration

/// What the configuration says about the signing log: the same for the daemon, which writes it, and for the command, which reads it.
package struct SigningLogSettings: Hashable, Sendable {
    /// The log's directory; nil for no log.
    package var directory: String?

    /// Where the log is as the package configures it.
    package static let usualDirectory = "/var/lib/signet-dkim/signed"

    /// The directive.
    package static let directive = DirectiveSpec(
        "SigningLog", .text, default: "none", needsRestart: true,
        "A directory in which signatures are counted, for \"signet report\"; none counts nothing.")

    /// A log in a directory; nil for none.
    package init(directory: String?) { self.directory = directory }

    /// Reads the directive; what is wrong is reported to the reader.
    package init(_ reader: ConfigurationReader) {
        guard let text = reader.text("SigningLog"), text != "none" else { return }
        guard text.hasPrefix("/") else {
            reader.report(
                .error, "SigningLog", "\"\(text)\" is not an absolute path",
                suggestion: "write the path in full, or none")
            return
        }
        directory = text
    }
}
