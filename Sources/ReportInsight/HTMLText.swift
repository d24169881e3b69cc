/// HTML that is put together of elements, so that no text gets into it unescaped.
struct HTMLText {
    private(set) var text = ""

    /// Adds text of strangers.
    mutating func add(_ text: String) { self.text += Self.escaped(text) }

    /// Adds markup of ours.
    mutating func add(markup: StaticString) { text += markup.description }

    /// Adds an element; the values of its attributes are escaped.
    mutating func element(
        _ name: StaticString, _ attributes: [(StaticString, String)] = [],
        _ body: (inout HTMLText) -> Void
    ) {
        begin(name, attributes)
        body(&self)
        text += "</\(name)>\n"
    }

    /// Adds an element that has text alone.
    mutating func element(
        _ name: StaticString, _ attributes: [(StaticString, String)] = [], _ content: String
    ) {
        begin(name, attributes)
        add(content)
        text += "</\(name)>\n"
    }

    /// Adds an element that has text alone, and no attributes.
    mutating func element(_ name: StaticString, _ content: String) { element(name, [], content) }

    /// Adds an element that has nothing in it.
    mutating func empty(_ name: StaticString, _ attributes: [(StaticString, String)]) {
        begin(name, attributes)
        text.removeLast()
        text += "/>\n"
    }

    private mutating func begin(_ name: StaticString, _ attributes: [(StaticString, String)]) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
        text += ">"
    }

    /// Text as HTML has it, in an element or between quotes.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x22, 0x27].contains($0) }) else {
            return text
        }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
