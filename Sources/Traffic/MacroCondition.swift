public import Configuration

/// One entry of MacroList: the macro must be set, and where values are listed, to one of them.
public struct MacroCondition: Equatable, Sendable {
    /// The macro's name without braces.
    public let name: String
    /// The values of which it must have one, compared with case; empty for any.
    public let values: [String]

    /// Makes a condition.
    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }

    /// Whether the MTA's macro fits.
    func holds(_ macro: (String) -> String?) -> Bool {
        guard let value = macro(name) else { return false }
        return values.isEmpty || values.contains(value)
    }
}

extension ConfigurationReader {
    /// The conditions that a directive lists: `NAME`, `NAME=value|value`, or dkimpy-milter's `NAME|value|value`; names with or
    /// without braces.
    public func macroConditions(_ directive: String) -> [MacroCondition] {
        (dataSet(directive, isCaseSensitive: true)?.entries ?? []).map { entry in
            var name = entry.key
            var value = entry.value
            // In a file the pair may be written with "=" as in a list; no macro has "|" in its name.
            if value == nil, let sign = name.firstIndex(where: { $0 == "=" || $0 == "|" }) {
                value = String(name[name.index(after: sign)...])
                name = String(name[..<sign])
            }
            if name.hasPrefix("{"), name.hasSuffix("}") {
                name = String(name.dropFirst().dropLast())
            }
            return MacroCondition(
                name: name, values: value.map { $0.split(separator: "|").map(String.init) } ?? [])
        }
    }
}
