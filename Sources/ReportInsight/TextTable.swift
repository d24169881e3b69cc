/// A table for people, whose first column gives way where there is not enough room.
struct TextTable {
    /// A column.
    struct Column {
        let title: String
        var isNumber = true
        /// Below how many columns of the terminal it is left out.
        var needs = 0
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    /// The narrowest first column.
    private static let narrowest = 18

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, none wider than the width; as wide as they are where there is none.
    func lines(width: Int?) -> [String] {
        let shown = columns.indices.filter { columns[$0].needs <= width ?? .max }
        var widths = shown.map { place in
            max(columns[place].title.count, rows.map { $0[place].count }.max() ?? 0)
        }
        let rest = widths.dropFirst().reduce(0) { $0 + $1 + 2 }
        if let width, let first = widths.first {
            widths[0] = min(first, max(Self.narrowest, width - rest))
        }
        return ([columns.map(\.title)] + rows).map { row in
            var line = ""
            for (number, place) in shown.enumerated() {
                let text = Self.cut(row[place], to: widths[number])
                let padding = String(repeating: " ", count: max(0, widths[number] - text.count))
                if number > 0 { line += "  " }
                line += columns[place].isNumber && number > 0 ? padding + text : text + padding
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private static func cut(_ text: String, to width: Int) -> String {
        text.count <= width ? text : text.prefix(max(width - 1, 1)) + "…"
    }
}
