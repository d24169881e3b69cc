/// Words in a text: where they are, with braces kept together.
enum TextWords {
    /// What separates the items of a list parameter (CHARS_COMMA_SP).
    static func separatesItems(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: ",") || separatesFields(octet)
    }

    /// What separates the fields of master.cf.
    static func separatesFields(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") || octet == UInt8(ascii: "\r")
            || octet == UInt8(ascii: "\n")
    }

    /// The words of a part of a text; a separator inside braces separates nothing (mystrtokq()).
    static func ranges(
        in text: [UInt8], _ part: Range<Int>, separates: (UInt8) -> Bool
    ) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        var depth = 0
        for index in part {
            let octet = text[index]
            if depth <= 0, separates(octet) {
                if let begin = start { words.append(begin..<index) }
                start = nil
                continue
            }
            if start == nil { (start, depth) = (index, 0) }
            if octet == UInt8(ascii: "{") { depth += 1 }
            if octet == UInt8(ascii: "}") { depth -= 1 }
        }
        if let begin = start { words.append(begin..<part.upperBound) }
        return words
    }

    /// A part of a text without the white space at its ends.
    static func trimmed(_ text: [UInt8], _ part: Range<Int>) -> Range<Int> {
        var (start, end) = (part.lowerBound, part.upperBound)
        while start < end, isSpace(text[start]) { start += 1 }
        while start < end, isSpace(text[end - 1]) { end -= 1 }
        return start..<end
    }

    /// What stands in braces that enclose a whole word, trimmed; the word itself where none do (extpar()).
    static func withoutBraces(_ text: [UInt8], _ word: Range<Int>) -> Range<Int> {
        guard word.count >= 2, text[word.lowerBound] == UInt8(ascii: "{"),
            text[word.upperBound - 1] == UInt8(ascii: "}")
        else { return word }
        return trimmed(text, (word.lowerBound + 1)..<(word.upperBound - 1))
    }

    /// The text of a part.
    static func string(_ text: [UInt8], _ part: Range<Int>) -> String {
        String(decoding: text[part], as: UTF8.self)
    }
}

/// The items of list values, as Postfix separates them.
package enum PostfixList {
    /// The items of a value whose references are expanded: by commas and white space, braces kept together.
    package static func items(_ value: String) -> [String] {
        let text = Array(value.utf8)
        return TextWords.ranges(in: text, 0..<text.count, separates: TextWords.separatesItems)
            .map { TextWords.string(text, $0) }
    }

    /// The address of a milter or policy service, and the settings that braces may give it beside:
    /// `{ inet:host:port, default_action=accept }`.
    package static func endpoint(
        _ item: String
    ) -> (address: String, settings: [(name: String, value: String)]) {
        let text = Array(item.utf8)
        let inner = TextWords.withoutBraces(text, 0..<text.count)
        guard inner != 0..<text.count else { return (item, []) }
        let words = items(TextWords.string(text, inner))
        return (words.first ?? "", words.dropFirst().map(assignment))
    }

    private static func assignment(_ word: String) -> (name: String, value: String) {
        let text = Array(word.utf8)
        let inner = TextWords.withoutBraces(text, 0..<text.count)
        guard let equals = text[inner].firstIndex(of: UInt8(ascii: "=")) else {
            return (TextWords.string(text, inner), "")
        }
        let name = TextWords.trimmed(text, inner.lowerBound..<equals)
        let value = TextWords.trimmed(text, (equals + 1)..<inner.upperBound)
        return (TextWords.string(text, name), TextWords.string(text, value))
    }
}
