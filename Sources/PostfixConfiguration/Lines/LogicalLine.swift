/// A logical line of main.cf or master.cf: the physical lines that Postfix reads as one.
///
/// A line continues the one before if it begins with white space; comments and empty lines in between do not end it
/// (postconf(5)). Nothing stands between the pieces where they are joined, as in Postfix's readlline(3).
struct LogicalLine: Sendable {
    /// What one physical line gives.
    struct Piece: Sendable {
        /// The number of the physical line, from 1.
        let number: Int
        /// Its octets in the file, without the line end.
        let range: Range<Int>
        /// Where it begins in the logical line's text.
        let start: Int
    }

    /// The joined text.
    let text: [UInt8]
    /// Where it comes from; never empty.
    let pieces: [Piece]

    /// The number of the first physical line that says anything.
    var number: Int { pieces.first?.number ?? 0 }

    /// Postfix reads no setting from a line that begins with white space and continues nothing.
    var beginsWithSpace: Bool { text.first.map(isSpace) ?? false }

    /// The piece that an octet of the text lies in; the end of the text lies in the last one.
    func piece(at offset: Int) -> Piece? {
        pieces.last { $0.start <= offset }
    }

    /// Where an octet of the text stands in the file.
    func position(of offset: Int) -> Int? {
        piece(at: offset).map { $0.range.lowerBound + offset - $0.start }
    }

    /// Where the end of something that ends before `offset` stands in the file: behind its last octet.
    func endPosition(of offset: Int) -> Int? {
        guard offset > 0 else { return position(of: 0) }
        return position(of: offset - 1).map { $0 + 1 }
    }

    /// The logical lines of a file.
    static func all(in octets: [UInt8]) -> [LogicalLine] {
        var lines: [LogicalLine] = []
        var text: [UInt8] = []
        var pieces: [Piece] = []
        var position = 0
        var number = 0
        while position < octets.count {
            number += 1
            let end = octets[position...].firstIndex(of: UInt8(ascii: "\n")) ?? octets.count
            let content = octets[position..<end]
            if let first = content.first(where: { !isSpace($0) }), first != UInt8(ascii: "#") {
                pieces.append(Piece(number: number, range: position..<end, start: text.count))
                text += content
            }
            position = min(end + 1, octets.count)
            let continues =
                position < octets.count
                && (isSpace(octets[position]) || octets[position] == UInt8(ascii: "#"))
            if !pieces.isEmpty, !continues {
                lines.append(LogicalLine(text: text, pieces: pieces))
                (text, pieces) = ([], [])
            }
        }
        if !pieces.isEmpty { lines.append(LogicalLine(text: text, pieces: pieces)) }
        return lines
    }
}

/// White space as Postfix's ISSPACE() has it.
func isSpace(_ octet: UInt8) -> Bool {
    octet == UInt8(ascii: " ") || (0x09...0x0D).contains(octet)
}
