/// What becomes of a peer's directives: those that are not listed keep their name, value and meaning.
struct DirectiveTable: Sendable {
    /// What becomes of one directive.
    enum Fate: String, Sendable {
        /// It is kept, and means something else here.
        case meaning
        /// It is left out, as nothing needs it.
        case dropped
        /// It is left out, and nothing here does what it did.
        case none
    }

    private let rows: [String: (fate: Fate, what: String)]

    /// Reads a table: `Directive | fate | sentence` on each line.
    init(_ text: String) {
        var rows: [String: (Fate, String)] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "|", maxSplits: 2).map { field in
                field.split(separator: " ").joined(separator: " ")
            }
            guard fields.count == 3, let fate = Fate(rawValue: fields[1]) else { continue }
            rows[fields[0].lowercased()] = (fate, fields[2])
        }
        self.rows = rows
    }

    /// The row of a directive; nil where it stays what it is.
    subscript(_ directive: String) -> (fate: Fate, what: String)? { rows[directive.lowercased()] }

    /// The directives that have a row, in lower case.
    var names: [String] { rows.keys.sorted() }
}
