internal import Foundation

/// Tells the person at the terminal what happens, in paragraphs as wide as the terminal.
struct Narrator {
    /// The number of columns; nil where lines are not wrapped.
    let width: Int?
    private let isTerminal = isatty(1) == 1
    private let start = ContinuousClock.now

    init() {
        let columns = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 0
        guard columns <= 0 else {
            width = max(columns, 40)
            return
        }
        var size = winsize()
        let status = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        width = status == 0 && size.ws_col > 0 ? max(Int(size.ws_col), 40) : nil
    }

    /// A headline.
    func chapter(_ text: String) {
        print("\n" + style("1", text))
    }

    /// A sentence.
    func say(_ text: String) {
        for line in wrapped(text, indent: 2, hanging: 2) { print(line) }
    }

    /// Something quoted from a message or a file, each line indented.
    func quote(_ text: String) {
        let lines = text.replacing("\r\n", with: "\n").replacing("\t", with: "  ")
            .split(separator: "\n", omittingEmptySubsequences: false)
        // The blank line between header and body stays, the one at the end goes.
        for line in lines.last == "" ? lines.dropLast() : lines[...] {
            let folds = line.prefix { $0 == " " }.count
            for piece in wrapped(String(line), indent: 4 + folds, hanging: folds == 0 ? 2 : 0) {
                print(style("36", piece))
            }
        }
    }

    /// A text that is laid out already, each line indented.
    func show(_ lines: [String]) {
        for line in lines { print(style("36", "    " + line)) }
    }

    /// A check: a green tick when it holds, a red cross otherwise.
    @discardableResult
    func check(_ holds: Bool, _ text: String) -> Bool {
        let mark = holds ? style("32", "✔") : style("31", "✘")
        let lines = wrapped(text, indent: 4, hanging: 0)
        print("  \(mark) " + lines[0].dropFirst(4))
        for line in lines.dropFirst() { print(line) }
        return holds
    }

    /// The seconds that have passed.
    var seconds: String {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return "\(seconds).\(attoseconds / 100_000_000_000_000_000)"
    }

    /// Text in lines that are indented, those after the first a bit more; white space between words stays where it all fits.
    private func wrapped(_ text: String, indent: Int, hanging: Int) -> [String] {
        let text = text.drop { $0 == " " }
        let first = String(repeating: " ", count: indent)
        guard let width, indent + text.count > width else { return [first + text] }
        var lines: [String] = []
        var line = first
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > width, line.contains(where: { $0 != " " }) {
                lines.append(line)
                line = String(repeating: " ", count: indent + hanging)
            }
            line += line.last == " " || line.isEmpty ? String(word) : " \(word)"
        }
        return lines + [line]
    }

    private func style(_ code: String, _ text: String) -> String {
        isTerminal ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
