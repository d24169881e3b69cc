/// Text that strangers wrote, as it may be shown on a terminal.
enum Shown {
    /// No text is shown longer than this.
    private static let limit = 160

    /// Printable ASCII; everything else as "?", and the end of what is too long left out.
    static func text(_ octets: some Collection<UInt8>) -> String {
        let shown = octets.prefix(limit).map { 0x20...0x7E ~= $0 ? $0 : 0x3F }
        return String(decoding: shown, as: UTF8.self) + (octets.count > limit ? "..." : "")
    }

    /// Printable ASCII; everything else as "?", and the end of what is too long left out.
    static func text(_ text: String) -> String { self.text(Array(text.utf8)) }

    /// A line as it is, a tab as a blank, and what else a terminal would obey as "?".
    ///
    /// Names in the DNS may hold control characters.
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            shown.append(scalar == "\t" ? " " : isControl(scalar) ? "?" : scalar)
        }
        return String(shown)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// Items with commas, and "and" before the last.
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }
}
