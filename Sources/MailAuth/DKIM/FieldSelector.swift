internal import MailSyntax

/// Chooses the fields that an `h=` tag names, in its order: of fields with one name, the last
/// first, then upwards (RFC 6376, section 5.4.2).
///
/// Trust: any list of names against any header section; constant time for each name.
struct FieldSelector {
    private let header: HeaderSection
    /// For the lowest field of each name that was asked for, the next field to give: `untouched`,
    /// `exhausted` or a position.
    private var next: [Int32]
    private var touched: [Int] = []

    private static let untouched: Int32 = -2
    private static let exhausted: Int32 = -1

    init(_ header: HeaderSection) {
        self.header = header
        next = [Int32](repeating: Self.untouched, count: header.count)
    }

    /// Begins another `h=` tag.
    mutating func restart() {
        for position in touched { next[position] = Self.untouched }
        touched.removeAll(keepingCapacity: true)
    }

    /// The field that a name stands for here; nil where there is none, or none is left: it then
    /// counts as empty (RFC 6376, section 5.4).
    mutating func take(_ name: Span<UInt8>) -> Int? {
        guard let lowest = header.lastIndex(named: name) else { return nil }
        let current = next[lowest]
        guard current != Self.exhausted else { return nil }
        let position: Int
        if current == Self.untouched {
            touched.append(lowest)
            position = lowest
        } else {
            position = Int(current)
        }
        next[lowest] = header.previousIndex(sameNameAs: position).map(Int32.init) ?? Self.exhausted
        return position
    }
}
