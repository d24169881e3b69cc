internal import Foundation

/// Tells the person at the terminal what happens, in paragraphs.
struct Narrator {
    private let isTerminal = isatty(1) == 1
    private let start = ContinuousClock.now

    /// A headline.
    func chapter(_ text: String) {
        print("\n" + style("1", text))
    }

    /// A sentence.
    func say(_ text: String) {
        print("  " + text)
    }

    /// Something quoted from a message or a file, each line indented.
    func quote(_ text: String) {
        let lines = text.replacing("\r\n", with: "\n").split(separator: "\n")
        for line in lines { print("    " + style("36", String(line))) }
    }

    /// A check: a green tick when it holds, a red cross otherwise.
    @discardableResult
    func check(_ holds: Bool, _ text: String) -> Bool {
        print("  " + (holds ? style("32", "✔") : style("31", "✘")) + " " + text)
        return holds
    }

    /// The seconds that have passed.
    var seconds: String {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return "\(seconds).\(attoseconds / 100_000_000_000_000_000)"
    }

    private func style(_ code: String, _ text: String) -> String {
        isTerminal ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
