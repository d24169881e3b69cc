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
    /// `NO_COLOR` and `TERM=dumb` are respected.
    static var standardOutput: Terminal {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        var size = winsize()
        let status = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        let width = status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        let isDumb = Self.environment("TERM") == "dumb" || Self.environment("NO_COLOR") != nil
        return Terminal(width: width, hasColour: !isDumb)
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// A text in a colour, where colour is understood.
    func coloured(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Text after a label, its further lines indented to the label's width; words that are too long stay whole.
    func wrapped(_ text: String, label: String, labelWidth: Int) -> [String] {
        let padding = String(repeating: " ", count: max(0, labelWidth - label.count))
        let indent = String(repeating: " ", count: max(labelWidth, label.count))
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
