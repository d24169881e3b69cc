/// Reading data sets that directives name.
extension ConfigurationReader {
    /// The longest data set file: a million lines of ordinary length.
    static let dataSetSizeLimit = 64 << 20

    /// The data set that a directive names, read now and whole; nil when there is neither a value nor a default.
    ///
    /// What is wrong with it is reported; what can be read of it is given, so that further checks find more.
    public func dataSet(_ directive: String, isCaseSensitive: Bool = false) -> DataSet? {
        guard let text = text(directive) else { return nil }
        let name = schema[directive]?.name ?? directive
        let place = location(of: directive) ?? SourceLocation(file: file)
        let source: DataSetSource
        do throws(DataSetSource.Fault) {
            source = try DataSetSource(text) {
                absolutePath($0, directive: name, at: place)
            }
        } catch {
            report(
                ConfigurationProblem(
                    .error, at: place, directive: name, error.message, suggestion: error.suggestion)
            )
            return nil
        }
        let matching: DataSet.Matching
        let entries: [DataSet.Entry]
        switch source {
        case .list(let elements):
            matching = .equality
            entries = elements.map { element in listEntry(element, directive: name, at: place) }
        case .file(let path):
            matching = .equality
            entries = fileEntries(path, directive: name, at: place)
        case .patterns(let path):
            matching = .patterns
            entries = fileEntries(path, directive: name, at: place)
        }
        return DataSet(entries: entries, matching: matching, isCaseSensitive: isCaseSensitive) {
            entry, fault in
            report(
                ConfigurationProblem(.error, at: entry.location, directive: name, fault.message))
        }
    }

    /// Warns of patterns in a set of addresses that is searched for equality: they stand for themselves there, and no address is so.
    ///
    /// `*` and `user@*` are no patterns but forms of their own (opendkim.conf(5), SigningTable).
    public func warnOfPatterns(in set: DataSet, directive: String) {
        guard set.matching == .equality else { return }
        for entry in set.entries where entry.key.utf8.contains(UInt8(ascii: "*")) {
            let key = entry.key.hasSuffix("@*") ? entry.key.dropLast() : entry.key[...]
            guard key != "*", key.utf8.contains(UInt8(ascii: "*")) else { continue }
            let plain = entry.key.hasPrefix("*@") ? "\(entry.key.dropFirst(2))" : nil
            report(
                ConfigurationProblem(
                    .warning, at: entry.location, directive: directive,
                    "\"\(entry.key)\" is a pattern, and nothing matches it here",
                    suggestion: "name the file with refile:"
                        + (plain.map { ", or write \($0) for all addresses of that domain" } ?? ""))
            )
        }
    }

    /// An element of a list: `x=y` is a key with its value (opendkim(8), data sets, m).
    private func listEntry(
        _ element: String, directive: String, at place: SourceLocation
    ) -> DataSet.Entry {
        let parts = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = (parts.first ?? "").trimmingBlanks()
        if key.utf8.contains(where: TextLines.isBlank) {
            report(
                ConfigurationProblem(
                    .warning, at: place, directive: directive,
                    "white space inside the list element \"\(key)\"",
                    suggestion: "separate elements with commas"))
        }
        let value = parts.count == 2 ? parts[1].trimmingBlanks() : nil
        return DataSet.Entry(key: key, value: value, location: place)
    }

    private func fileEntries(
        _ path: String, directive: String, at place: SourceLocation
    ) -> [DataSet.Entry] {
        let bytes: [UInt8]
        do {
            bytes = try FileContents.read(path, limit: Self.dataSetSizeLimit)
        } catch {
            report(
                ConfigurationProblem(.error, at: place, directive: directive, "\(path) \(error)"))
            return []
        }
        return TextLines.split(bytes, file: path) { report($0) }.map { line in
            let (key, value) = line.text.splitAtBlank()
            return DataSet.Entry(
                key: key, value: value,
                location: SourceLocation(file: path, line: line.number, column: line.column))
        }
    }
}
