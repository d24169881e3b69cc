/// Reads a configuration file and what it includes into statements.
enum ConfigurationFile {
    /// The longest file that is read.
    static let sizeLimit = 1 << 20
    /// How deep files may include each other (opendkim.conf(5): five levels).
    static let includeDepthLimit = 5
    /// How many files one configuration may consist of; five levels of includes could otherwise fan out without end.
    static let fileCountLimit = 256

    /// The statements of the file at `path`, includes in their place; what is wrong is reported.
    static func statements(
        path: String, report: (ConfigurationProblem) -> Void
    ) -> [ConfigurationStatement] {
        var files = 0
        let place = SourceLocation(file: path)
        return statements(path: path, named: place, depth: 0, files: &files, report: report)
    }

    /// The statements in a text.
    static func statements(
        text bytes: [UInt8], file: String, report: (ConfigurationProblem) -> Void
    ) -> [ConfigurationStatement] {
        TextLines.split(bytes, file: file, report: report).compactMap { line in
            if let statement = ConfigurationStatement(line: line, file: file) { return statement }
            report(
                ConfigurationProblem(
                    .error, at: SourceLocation(file: file, line: line.number, column: line.column),
                    "not a directive: a line is a name of letters, digits, - and _, then its value"
                ))
            return nil
        }
    }

    private static func statements(
        path: String, named place: SourceLocation, depth: Int, files: inout Int,
        report: (ConfigurationProblem) -> Void
    ) -> [ConfigurationStatement] {
        let directive = depth > 0 ? "Include" : nil
        files += 1
        guard depth <= includeDepthLimit, files <= fileCountLimit else {
            let limit =
                depth > includeDepthLimit
                ? "more than \(includeDepthLimit) levels of files including each other"
                : "more than \(fileCountLimit) files"
            report(ConfigurationProblem(.error, at: place, directive: directive, limit))
            return []
        }
        let bytes: [UInt8]
        do {
            bytes = try FileContents.read(path, limit: sizeLimit)
        } catch {
            report(
                ConfigurationProblem(.error, at: place, directive: directive, "\(path) \(error)"))
            return []
        }
        var all: [ConfigurationStatement] = []
        for statement in statements(text: bytes, file: path, report: report) {
            guard statement.name.lowercased() == "include" else {
                all.append(statement)
                continue
            }
            // A relative name is taken from the including file's directory, so that a tree of files can be moved as a whole.
            let target =
                statement.value.hasPrefix("/")
                ? statement.value
                : String(
                    path[
                        ..<(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)
                    ])
                    + statement.value
            all += statements(
                path: target, named: statement.location, depth: depth + 1, files: &files,
                report: report)
        }
        return all
    }
}
