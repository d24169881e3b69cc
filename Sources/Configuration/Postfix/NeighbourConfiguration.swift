internal import MailSyntax

/// The configuration of another daemon of the suite, which lies beside ours: what one has to know of the other.
///
/// Trust: the file is the administrator's. What is wrong with it is for its own daemon to report.
package struct NeighbourConfiguration {
    private let statements: [ConfigurationStatement]

    /// Reads `NAME.conf` in the directory of our configuration; nil if there is no such file.
    package init?(_ name: String, besides reader: ConfigurationReader) {
        guard let slash = reader.file.lastIndex(of: "/") else { return nil }
        let path = "\(reader.file[..<slash])/\(name).conf"
        guard FileContents.ifReadable(path, limit: ConfigurationFile.sizeLimit) != nil else {
            return nil
        }
        statements = ConfigurationFile.statements(path: path) { _ in }
    }

    /// The value of a directive; nil if it is not set.
    package func value(of directive: String) -> String? {
        statements.last { $0.name.equalsIgnoringASCIICase(directive) }?.value
    }
}
