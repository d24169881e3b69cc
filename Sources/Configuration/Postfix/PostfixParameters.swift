/// The parameters of Postfix's main.cf, and of a service that sets some of them anew.
///
/// As much of postconf(5)'s syntax as lists of milters are written with: continued lines, comments, and `$name` in its forms.
///
/// Trust: the text is the postmaster's, yet expansion is bounded: parameters may refer to each other in a circle, and each to
/// the next one twice.
struct PostfixParameters {
    /// A value as it is written, and the number of the line that it begins on.
    struct Setting: Equatable {
        /// What stands after the "=".
        let value: String
        /// The number of the line in its file.
        let line: Int
    }

    /// The settings by name; of several for one name the last holds.
    private(set) var settings: [String: Setting] = [:]

    /// The names of milters' lists.
    static let milterLists = ["smtpd_milters", "non_smtpd_milters"]

    private static let mostReferences = 1000
    private static let deepestReference = 30
    private static let longestValue = 100_000

    /// Reads main.cf.
    init(mainCF text: String) {
        for (line, text) in Self.logicalLines(text) { set(text, line: line) }
    }

    /// The parameters as each service of master.cf has them that sets any with `-o`, and where it begins.
    func ofServices(masterCF text: String) -> [PostfixParameters] {
        Self.logicalLines(text).compactMap { line, text in
            var service = self
            var isOption = false
            for word in Self.words(text, separators: " \t") {
                if isOption {
                    service.set(Self.withoutBraces(word), line: line)
                    isOption = false
                } else if word == "-o" {
                    isOption = true
                } else if word.hasPrefix("-o") {
                    service.set(String(word.dropFirst(2)), line: line)
                }
            }
            return service.settings == settings ? nil : service
        }
    }

    /// The milters that a parameter lists, in their order, each as the address that Postfix connects to.
    func milters(_ name: String) -> [String] {
        guard let setting = settings[name] else { return [] }
        var references = 0
        let list = expanded(setting.value, depth: 0, &references)
        return Self.words(list, separators: ", \t").compactMap { word in
            // { inet:host:port, default_action=accept, … }
            Self.words(Self.withoutBraces(word), separators: ", \t").first
        }
    }

    private mutating func set(_ assignment: String, line: Int) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        settings[Self.trimmed(parts[0])] = Setting(value: Self.trimmed(parts[1]), line: line)
    }

    // MARK: References

    /// A value with its references replaced by what they stand for: `$name`, `${name}`, `$(name)`, and where what follows the
    /// name depends on it, `${name?text}` and `${name:text}` (postconf(5)).
    private func expanded(_ value: String, depth: Int, _ references: inout Int) -> String {
        var result = ""
        var rest = value[...]
        while let dollar = rest.firstIndex(of: "$"), result.utf8.count < Self.longestValue {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            references += 1
            guard references <= Self.mostReferences, depth < Self.deepestReference else { break }
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if let inner = Self.bracketed(&rest) {
                result += substituted(inner, depth: depth, &references)
            } else {
                let name = rest.prefix(while: Self.isNameCharacter)
                rest = rest[name.endIndex...]
                result += substituted(name, depth: depth, &references)
            }
        }
        return result + rest
    }

    /// What stands for a reference, given without its "$" and brackets.
    private func substituted(
        _ reference: Substring, depth: Int, _ references: inout Int
    ) -> String {
        let name = reference.prefix(while: Self.isNameCharacter)
        let setting = settings[String(name)]?.value ?? ""
        let rest = reference[name.endIndex...]
        let condition = rest.first { $0 != " " }
        guard condition == "?" || condition == ":" else {
            return expanded(setting, depth: depth + 1, &references)
        }
        // ${name?{text}:{other}}, or with one text that may stand without braces.
        var choices = rest.drop { $0 != condition }.dropFirst().drop { $0 == " " }
        let first = Self.bracketed(&choices) ?? choices
        let other = Self.bracketed(&choices, after: ":") ?? ""
        let isTaken = setting.isEmpty == (condition == ":")
        return expanded(String(isTaken ? first : other), depth: depth + 1, &references)
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    /// Takes what stands in brackets at the beginning of a text, without them; nil where none stand there.
    private static func bracketed(
        _ text: inout Substring, after prefix: Character? = nil
    ) -> Substring? {
        var start = text
        if let prefix {
            guard let found = text.firstIndex(where: { $0 != " " }), text[found] == prefix else {
                return nil
            }
            start = text[text.index(after: found)...].drop { $0 == " " }
        }
        guard let open = start.first, open == "{" || open == "(" else { return nil }
        let close: Character = open == "{" ? "}" : ")"
        var depth = 0
        for index in start.indices {
            if start[index] == open { depth += 1 }
            if start[index] == close { depth -= 1 }
            guard depth == 0 else { continue }
            text = start[start.index(after: index)...]
            return start[start.index(after: start.startIndex)..<index]
        }
        return nil
    }

    // MARK: Lines and words

    /// Lines with those that continue them, which begin with white space; comments and empty lines are left out.
    private static func logicalLines(_ text: String) -> [(number: Int, text: String)] {
        var lines: [(number: Int, text: String)] = []
        let physical = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in physical.enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            guard let first = content.first, first != "#" else { continue }
            if content.startIndex > line.startIndex, !lines.isEmpty {
                lines[lines.count - 1].text += line
            } else {
                lines.append((index + 1, String(content)))
            }
        }
        return lines
    }

    /// What separators part, except inside braces.
    private static func words(_ text: String, separators: String) -> [String] {
        var depth = 0
        return text.split { character in
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            return depth <= 0 && separators.contains(character)
        }.map(String.init)
    }

    private static func withoutBraces(_ word: String) -> String {
        guard word.hasPrefix("{"), word.hasSuffix("}") else { return word }
        return trimmed(word.dropFirst().dropLast())
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
