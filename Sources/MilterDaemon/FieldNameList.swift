public import Configuration
public import MailAuth
public import MailSyntax

/// A list of field names as opendkim.conf(5) writes it: a list of its own, or with `*` the default with `+NAME` and `-NAME`.
public struct FieldNameList: Equatable, Sendable {
    /// Whether the default list is the start.
    public let changesDefault: Bool
    /// Names that are in the list.
    public let added: [FieldPattern]
    /// Names that are taken out.
    public let removed: Set<FieldPattern>

    /// Reads the entries of a data set; entries that are no field name, nor, where that is wanted, the beginning of one with `*`
    /// after it, are handed to `report`.
    public init(_ set: DataSet, withPatterns: Bool, report: (DataSet.Entry) -> Void) {
        var changesDefault = false
        var added: [FieldPattern] = []
        var removed: Set<FieldPattern> = []
        for entry in set.entries {
            let text = entry.key
            // "." is the peer's way to write an empty list.
            if text == "." { continue }
            if text == "*" {
                changesDefault = true
                continue
            }
            let name = FieldPattern(text.drop { $0 == "+" || $0 == "-" })
            guard name.name.isValid, withPatterns || !name.isPrefix else {
                report(entry)
                continue
            }
            if text.hasPrefix("-") { removed.insert(name) } else { added.append(name) }
        }
        self.changesDefault = changesDefault
        self.added = added
        self.removed = removed
    }

    /// The list itself, given the default.
    public func applied(to standard: [FieldPattern]) -> [FieldPattern] {
        let start = changesDefault ? standard.filter { !removed.contains($0) } : []
        return start + added.filter { !start.contains($0) && !removed.contains($0) }
    }

    /// Reads a directive, and reports entries that are no field name; nil where the directive is not given.
    public init?(_ reader: ConfigurationReader, _ directive: String, withPatterns: Bool = true) {
        guard let set = reader.dataSet(directive) else { return nil }
        self.init(set, withPatterns: withPatterns) { entry in
            reader.report(
                ConfigurationProblem(
                    .error, at: entry.location, directive: directive,
                    "\"\(entry.key)\" is not a header field's name"))
        }
        for entry in set.entries where entry.key.dropLast().contains("*") {
            reader.report(
                ConfigurationProblem(
                    .warning, at: entry.location, directive: directive,
                    "\"\(entry.key)\" is a pattern, and no field matches it here",
                    suggestion: withPatterns
                        ? "write the names, or a beginning with * after it" : "write the names"))
        }
    }

    /// The fields that occur once, as the default of a directive has them.
    public static let singletonHeaders = DKIMVerifierOptions.standardSingletonFields
        .map(\.text).joined(separator: ",")

    /// Reads a directive that lists whole names: its list, or with `*` the default with changes.
    public static func names(
        _ reader: ConfigurationReader, _ directive: String, default standard: [FieldName] = []
    ) -> [FieldName] {
        guard let list = FieldNameList(reader, directive, withPatterns: false) else {
            return standard
        }
        return list.applied(to: standard.map { FieldPattern($0.text) }).map(\.name)
    }
}
