/// A filter of a directory (RFC 4515, section 3) in which `$d` stands for what is looked up.
///
/// Trust: the administrator's; how deep it may nest is bounded.
enum LDAPFilter {
    /// The deepest nesting.
    private static let deepest = 32

    /// The attributes of which each by itself finds an entry, in order.
    ///
    /// - Throws: where the table cannot be read as a whole: an entry that is found by several values at once, by part of one, or
    ///   whatever is looked up.
    static func keys(of filter: String) throws(RemoteTable.Fault) -> [String] {
        var rest = filter[...]
        let keys: [String]
        if filter.hasPrefix("(") {
            keys = try group(&rest, 0)
            guard rest.isEmpty else { throw fault("has text behind its end") }
        } else {
            keys = try item(rest)
        }
        guard !keys.isEmpty else {
            throw fault("does not say (ATTRIBUTE=$d), so that nobody knows what the key is")
        }
        var seen: Set<String> = []
        return keys.filter { seen.insert($0.lowercased()).inserted }
    }

    /// Whether a text is the plain name of an attribute.
    static func isAttribute(_ text: String) -> Bool {
        // RFC 4512, section 1.4: it begins with a letter, and is no option of ldapsearch(1).
        text.first?.isLetter == true && RemoteTable.isName(text.replacing("-", with: "_"))
    }

    private static func fault(_ words: String) -> RemoteTable.Fault {
        RemoteTable.Fault("its filter \(words)")
    }

    /// Reads a filter in its parentheses.
    private static func group(
        _ rest: inout Substring, _ depth: Int
    ) throws(RemoteTable.Fault) -> [String] {
        guard depth < deepest, rest.popFirst() == "(" else { throw fault("cannot be read") }
        var keys: [String] = []
        switch rest.first {
        case "&"?, "|"?, "!"?:
            let sign = rest.removeFirst()
            var parts: [[String]] = []
            while rest.first == "(" { parts.append(try group(&rest, depth + 1)) }
            let named = parts.filter { !$0.isEmpty }
            if sign == "&" {
                guard named.count <= 1 else {
                    throw fault("compares several attributes with $d at once")
                }
            } else if sign == "|" {
                guard named.isEmpty || named.count == parts.count else {
                    throw fault("finds entries whatever is looked up")
                }
            } else if !named.isEmpty {
                throw fault("finds what is not looked up")
            }
            keys = named.flatMap(\.self)
        default:
            // RFC 4515, section 3: parentheses in a value are written as \28 and \29.
            let text = rest.prefix { $0 != ")" && $0 != "(" }
            keys = try item(text)
            rest = rest.dropFirst(text.count)
        }
        guard rest.popFirst() == ")" else { throw fault("cannot be read") }
        return keys
    }

    /// `ATTRIBUTE=VALUE`, of which only one with `$d` for its value names a key.
    private static func item(_ text: Substring) throws(RemoteTable.Fault) -> [String] {
        guard text.lowercased().contains("$d") else { return [] }
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[1].lowercased() == "$d",
            isAttribute(String(parts[0]))
        else { throw fault("has $d in another place than (ATTRIBUTE=$d)") }
        return [String(parts[0])]
    }
}
