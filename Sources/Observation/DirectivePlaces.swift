package import Configuration

/// Where the directives stand that decide about messages, for records: `dmarc.conf:3 RejectFailures yes`.
package struct DirectivePlaces: Hashable, Sendable {
    private var words: [String: String] = [:]

    /// None is known.
    package init() {}

    /// Looks up some directives.
    package init(_ reader: ConfigurationReader, _ names: [String]) {
        for name in names {
            guard let statement = reader.statements(of: [name]).last else {
                words[name] = "\(name) has its default"
                continue
            }
            words[name] = "\(Self.short(statement.location)) \(name) \(statement.value)"
        }
    }

    /// The place of a directive, with its value.
    package subscript(name: String) -> String? { words[name] }

    /// A place without the directory: `signing.table:7`.
    package static func short(_ location: SourceLocation) -> String {
        let path = location.file.utf8
        let start = path.lastIndex(of: UInt8(ascii: "/")).map(path.index(after:))
        let file = start.map { String(location.file[$0...]) } ?? location.file
        return location.line.map { "\(file):\($0)" } ?? file
    }
}
