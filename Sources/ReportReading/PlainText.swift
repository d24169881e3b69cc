/// Text of strangers on one line and of bounded length.
enum PlainText {
    /// The text without white space around it; control characters become question marks.
    static func line(_ text: some StringProtocol, atMost limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) {
            return String(text)
        }
        var line = String.UnicodeScalarView()
        var length = 0
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            if scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n" {
                pendingSpace = !line.isEmpty
                continue
            }
            let scalar = isPrintable(scalar) ? scalar : "?"
            length += UTF8.width(scalar) + (pendingSpace ? 1 : 0)
            if length > limit { break }
            if pendingSpace { line.append(" ") }
            pendingSpace = false
            line.append(scalar)
        }
        return String(line)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x7E: true
        // Direction marks and their like could make a line show what it does not say.
        case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: false
        case 0xA0...0xFFFD: true
        case 0x1_0000...: scalar.value & 0xFFFE != 0xFFFE
        default: false
        }
    }
}
