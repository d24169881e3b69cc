public import MailSyntax

/// A plan for people: every field of the message, with what becomes of it.
public struct ScrubListing: Sendable {
    /// What becomes of a field, by the sign before it.
    public enum Mark: String, Sendable {
        /// It stays.
        case same = " "
        /// It goes, or its old form does.
        case old = "-"
        /// Its new form.
        case new = "+"
        /// It stays because a signature covers it.
        case spared = "!"
    }

    /// One field in one of its forms.
    public struct Line: Sendable {
        /// What becomes of it.
        public let mark: Mark
        /// The field, folds included, without the line end.
        public let field: String
        /// The field with its sign before each line.
        public var text: String {
            field.split(separator: "\n", omittingEmptySubsequences: false)
                .map { "\(mark.rawValue) \($0)" }.joined(separator: "\n")
        }
    }

    /// The lines, from the top of the header section down.
    public let lines: [Line]

    /// Lists what a plan does to the header section that it was made for.
    public init(_ plan: ScrubPlan, of header: HeaderSection) {
        var changes: [Int: ScrubPlan.Change] = [:]
        for (position, change) in plan.changes { changes[position] = change }
        let spared = Set(plan.spared.map(\.position))
        var lines: [Line] = []
        if let own = plan.ownReceived {
            lines.append(Line(mark: .new, field: "Received:" + Self.printable(own[...])))
        }
        for position in header.fields.indices {
            let name = Self.printable(header.name(of: position))
            let field = "\(name):" + Self.printable(header.value(of: position))
            switch changes[position] {
            case .remove:
                lines.append(Line(mark: .old, field: field))
            case .rewrite(let value):
                lines.append(Line(mark: .old, field: field))
                lines.append(Line(mark: .new, field: "\(name):" + Self.printable(value[...])))
            case nil:
                lines.append(Line(mark: spared.contains(position) ? .spared : .same, field: field))
            }
        }
        self.lines = lines
    }

    /// Text for a terminal: no control characters but tabs and the line feeds of folds.
    private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        let safe = bytes.filter { $0 != .cr }.map { octet in
            octet.isASCIIControl && octet != .lf && octet != .tab ? UInt8(ascii: "?") : octet
        }
        return String(decoding: safe, as: UTF8.self)
    }
}
