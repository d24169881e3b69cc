/// A configuration file in Signet's dialect that is edited: what is named changes, every other octet stays.
package struct DirectiveText: Sendable {
    /// The file.
    package private(set) var octets: [UInt8]

    /// Takes a file.
    package init(_ octets: [UInt8]) { self.octets = octets }

    /// The value of a directive, of several that of the last; nil where it is not set.
    package func value(of directive: String) -> String? {
        lines.last { $0.isActive && $0.name.lowercased() == directive.lowercased() }?.value
    }

    /// The names and values of the directives that are set, in order, with their lines.
    package var directives: [(name: String, value: String, line: Int)] {
        lines.enumerated().filter { $0.element.isActive }.map {
            ($0.element.name, $0.element.value, $0.offset + 1)
        }
    }

    /// Sets a directive: in the place of the one that holds, below the commented example of it, or at the end.
    package mutating func set(_ directive: String, to value: String) {
        guard self.value(of: directive) != value else { return }
        let name = directive.lowercased()
        let lines = lines
        let text = Self.line(directive, value)
        if let old = lines.last(where: { $0.isActive && $0.name.lowercased() == name }) {
            octets.replaceSubrange(old.range, with: Array(text.utf8))
        } else if let example = lines.last(where: { $0.isExample && $0.name.lowercased() == name })
        {
            let end = example.range.upperBound
            octets.insert(contentsOf: Array("\n\(text)".utf8), at: end)
        } else {
            if let last = octets.last, last != UInt8(ascii: "\n") {
                octets.append(UInt8(ascii: "\n"))
            }
            octets += Array("\(text)\n".utf8)
        }
    }

    /// Takes each line of a directive out.
    package mutating func remove(_ directive: String) {
        let name = directive.lowercased()
        for line in lines.reversed() where line.isActive && line.name.lowercased() == name {
            octets.removeSubrange(
                line.range.lowerBound..<min(line.range.upperBound + 1, octets.count))
        }
    }

    /// A directive and its value in the columns of the shipped files.
    private static func line(_ directive: String, _ value: String) -> String {
        let space = String(repeating: " ", count: max(1, 18 - directive.count))
        return "\(directive)\(space)\(value)"
    }

    private struct Line {
        let range: Range<Int>
        let name: String
        let value: String
        let isActive: Bool
        /// A comment that shows a directive, as `#Domain example.com` does.
        let isExample: Bool
    }

    private var lines: [Line] {
        var lines: [Line] = []
        var start = 0
        while start < octets.count {
            let end = octets[start...].firstIndex(of: UInt8(ascii: "\n")) ?? octets.count
            lines.append(
                Self.read(String(decoding: octets[start..<end], as: UTF8.self), start..<end))
            start = end + 1
        }
        return lines
    }

    private static func read(_ text: String, _ range: Range<Int>) -> Line {
        let isExample = text.hasPrefix("#") && text.dropFirst().first?.isLetter == true
        let content = (isExample ? text.dropFirst() : text[...]).prefix { $0 != "#" }
        let start = content.drop { $0.isWhitespace }
        let name = start.prefix { !$0.isWhitespace && $0 != "=" && $0 != ":" }
        let rest = start[name.endIndex...].drop { $0.isWhitespace || $0 == "=" || $0 == ":" }
        let end = rest.lastIndex { !$0.isWhitespace }
        let value = end.map { String(rest[...$0]) } ?? ""
        return Line(
            range: range, name: String(name), value: value, isActive: !name.isEmpty && !isExample,
            isExample: isExample)
    }
}

/// What a directive says of a table's place.
enum TableReference {
    /// The file that `file:`, `refile:` or a bare path names, absolute; nil for any other kind of table.
    static func path(_ value: String) -> String? {
        let kind = ["refile:", "file:"].first { value.hasPrefix($0) } ?? ""
        let path = value.dropFirst(kind.count)
        return path.hasPrefix("/") ? String(path) : nil
    }
}
