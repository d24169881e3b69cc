import Glibc

/// How wide and how colourful the output may be: as wide as a terminal and in colour on one, plain everywhere else.
struct Terminal {
    /// The number of columns; nil where lines are not wrapped.
    let width: Int?
    /// Whether colour is understood.
    let hasColour: Bool

    /// Neither wrapped nor coloured: for files and programs.
    static let plain = Terminal(width: nil, hasColour: false)

    /// The colours of results.
    enum Colour: Int {
        case red = 31, green, yellow
    }

    /// What standard output is.
    ///
    /// `COLUMNS` sets the width, of files and pipes too; `NO_COLOR` and `TERM=dumb` are respected.
    static var standardOutput: Terminal {
        let columns = Self.environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        guard isatty(STDOUT_FILENO) == 1 else { return Terminal(width: columns, hasColour: false) }
        let isDumb = Self.environment("TERM") == "dumb" || Self.environment("NO_COLOR") != nil
        return Terminal(width: columns ?? Self.windowWidth, hasColour: !isDumb)
    }

    private static var windowWidth: Int {
        var size = winsize()
        let status = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// A text in a colour, where colour is understood.
    func coloured(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The verdict, in a colour.
    func verdict(_ text: String, _ colour: Colour) -> [String] {
        wrapped(text, label: "", labelWidth: 0, hanging: 2).map { coloured($0, colour) }
    }

    /// Rows of a label and a text, the texts in one column.
    func rows(_ rows: [(label: String, text: String)]) -> [String] {
        let width = (rows.map(\.label.count).max() ?? 0) + 2
        return rows.flatMap { wrapped($0.text, label: $0.label, labelWidth: width) }
    }

    /// Text after a label, its further lines indented to the label's width and as much as they hang in; words that are too long
    /// stay whole.
    func wrapped(_ text: String, label: String, labelWidth: Int, hanging: Int = 0) -> [String] {
        let padding = String(repeating: " ", count: max(0, labelWidth - label.count))
        let indent = String(repeating: " ", count: max(labelWidth, label.count) + hanging)
        guard let width else { return [label + padding + text] }
        let room = max(width - indent.count, 20)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        lines.append(line)
        return lines.enumerated().map { ($0.offset == 0 ? label + padding : indent) + $0.element }
    }
}
