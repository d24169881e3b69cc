/// The local aliases of a host, as /etc/aliases has them (aliases(5)).
struct MailAliases {
    /// The file.
    static let path = "/etc/aliases"

    /// An alias and where it leads.
    struct Entry: Hashable {
        /// The name, in small letters, without quotes.
        let name: String
        /// The line that begins it, as it is written.
        let line: String
        /// Where it leads, without the lines that continue it.
        let target: String
        /// Whether further lines continue it.
        let isContinued: Bool
    }

    /// All of them, in order.
    let entries: [Entry]

    /// Reads a host's file; none where there is none.
    init(_ tree: HostFiles?) {
        var found: [Entry] = []
        for line in (tree?.text(Self.path) ?? "").split(separator: "\n").map(String.init) {
            // White space at the beginning goes on with the line before.
            if line.first == " " || line.first == "\t" {
                if let last = found.popLast() {
                    found.append(
                        Entry(
                            name: last.name, line: last.line, target: last.target,
                            isContinued: true))
                }
                continue
            }
            guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { continue }
            found.append(
                Entry(
                    name: Self.trimmed(line[..<colon]).lowercased(), line: line,
                    target: Self.trimmed(line[line.index(after: colon)...]), isContinued: false))
        }
        entries = found
    }

    private static func trimmed(_ text: Substring) -> String {
        let isOuter = { (character: Character) in character.isWhitespace || character == "\"" }
        let start = text.drop(while: isOuter)
        return start.lastIndex { !isOuter($0) }.map { String(start[...$0]) } ?? ""
    }
}
