internal import MailSyntax

/// Text of strangers, made fit for the store and for XML.
enum BoundedText {
    /// One line of no more than so many octets: control characters become question marks.
    static func line(_ text: String, atMost limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.span.isPrintableASCII { return text }
        var line = String.UnicodeScalarView()
        var length = 0
        for scalar in text.unicodeScalars {
            let scalar = isPrintable(scalar) ? scalar : "?"
            length += UTF8.width(scalar)
            if length > limit { break }
            line.append(scalar)
        }
        return String(line)
    }

    /// Items with spaces between them, as many whole ones as so many octets hold.
    static func items(_ items: [String], atMost limit: Int) -> String {
        var text = ""
        for item in items {
            let space = text.isEmpty ? 0 : 1
            guard text.utf8.count + space + item.utf8.count <= limit else { break }
            if !text.isEmpty { text += " " }
            text += line(item, atMost: limit)
        }
        return text
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0xFFFD: true
        // Those that end with FFFE and FFFF are no characters.
        case 0x1_0000...: scalar.value & 0xFFFE != 0xFFFE
        default: false
        }
    }
}
