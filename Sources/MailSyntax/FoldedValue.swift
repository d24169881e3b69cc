/// The value of a header field while it is written, folded as it grows.
///
/// The value begins with the space that follows the colon, and each fold is a line feed and a tab, as a
/// milter hands it to the MTA. It is made of pieces. Before a piece there is one space, or a fold where
/// the line would become longer than `width`. A piece that may break anywhere, such as base64, fills each
/// line; any other piece stays in one line, however long. The tab counts as eight columns.
///
/// Unfolding (RFC 5322, section 2.2.3) gives the pieces back, with white space between them and, in
/// those that may break, within.
///
/// Trust: pieces may come from hostile text. A control character becomes "?", so that no piece can end
/// the field or begin another one. No line is longer than 998 octets (RFC 5322, section 2.1.1): a piece
/// that alone is longer is broken there. No line is white space only; spaces that a piece has at a fold
/// are dropped.
public struct FoldedValue: Sendable {
    /// The recommended length of a line, in columns (RFC 5322, section 2.1.1).
    public static let recommendedWidth = 78

    /// The longest line that there may be, in octets without its line end (RFC 5322, section 2.1.1).
    public static let hardLimit = 998

    private static let tabWidth = 8

    /// The value so far.
    public private(set) var bytes: [UInt8] = []

    private let width: Int
    /// Columns and octets of the line so far.
    private var column: Int
    private var length: Int
    /// Whether there is a piece on the line, so that a fold leaves no line of white space behind.
    private var lineHasPiece = false
    /// Whether a fold is due before the next octet that is no space.
    private var foldIsDue = false

    /// Begins the value of a field with a name.
    ///
    /// - Parameters:
    ///   - name: the name, for its length only.
    ///   - width: the longest line, in columns, wherever pieces allow it.
    public init(for name: FieldName, width: Int = FoldedValue.recommendedWidth) {
        self.width = Swift.min(Swift.max(width, 20), FoldedValue.hardLimit)
        column = name.lowercased.count + 1
        length = column
        bytes.reserveCapacity(256)
    }

    /// The value as text; octets that are not UTF-8 are replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Adds a piece, after a space or a fold.
    public mutating func append(_ piece: Span<UInt8>) {
        guard !piece.isEmpty else { return }
        startPiece(length: piece.count)
        write(piece)
    }

    /// Adds a piece, after a space or a fold.
    public mutating func append(_ piece: [UInt8]) {
        append(piece.span)
    }

    /// Adds a piece, after a space or a fold.
    public mutating func append(_ piece: String) {
        append(piece.utf8.span)
    }

    /// Adds a piece, always on a new line, unless it is the first.
    public mutating func appendOnNewLine(_ piece: Span<UInt8>) {
        guard !piece.isEmpty else { return }
        if lineHasPiece { fold() } else { startPiece(length: piece.count) }
        write(piece)
    }

    /// Adds a piece, always on a new line, unless it is the first.
    public mutating func appendOnNewLine(_ piece: [UInt8]) {
        appendOnNewLine(piece.span)
    }

    /// Adds a piece, always on a new line, unless it is the first.
    public mutating func appendOnNewLine(_ piece: String) {
        appendOnNewLine(piece.utf8.span)
    }

    /// Adds text directly after the last piece, which may be broken between any two octets.
    ///
    /// For base64 after its tag: `append("b=")`, then this.
    public mutating func appendBreakable(_ octets: [UInt8]) {
        if !octets.isEmpty, bytes.isEmpty { startPiece(length: 1) }
        for octet in octets {
            if column >= width, lineHasPiece { fold() }
            put(octet)
        }
    }

    /// Adds text directly after the last piece, which may be broken between any two octets.
    public mutating func appendBreakable(_ text: String) {
        appendBreakable(Array(text.utf8))
    }

    private mutating func startPiece(length piece: Int) {
        // Nothing is gained by a fold directly after the colon, and some readers trip over it.
        if lineHasPiece, column + 1 + piece > width {
            fold()
        } else if !foldIsDue {
            bytes.append(.space)
            column += 1
            length += 1
        }
    }

    private mutating func fold() {
        foldIsDue = true
        column = FoldedValue.tabWidth
        length = 1
        lineHasPiece = false
    }

    private mutating func write(_ piece: Span<UInt8>) {
        guard !isPlain(piece) || length + piece.count >= FoldedValue.hardLimit - 4 else {
            beginLineIfDue()
            bytes.append(contentsOf: piece)
            column += piece.count
            length += piece.count
            lineHasPiece = true
            return
        }
        for index in piece.indices {
            let octet = piece[index]
            // Not inside a character of UTF-8: continuation octets follow where they belong.
            let isContinuation = octet & 0xC0 == 0x80
            if length >= FoldedValue.hardLimit - 4,
                !isContinuation || length >= FoldedValue.hardLimit
            {
                fold()
            }
            put(octet)
        }
    }

    /// Whether nearly every piece's way is open to this one: it is visible ASCII, and goes in as it is.
    private func isPlain(_ piece: Span<UInt8>) -> Bool {
        // Spaces within are plain too.
        piece.isPrintableASCII && (piece.isEmpty || piece[0] != .space)
    }

    private mutating func beginLineIfDue() {
        guard foldIsDue else { return }
        bytes.append(.lf)
        bytes.append(.tab)
        foldIsDue = false
    }

    private mutating func put(_ octet: UInt8) {
        if foldIsDue {
            // Spaces at a fold are dropped: they could make a line of white space.
            if octet == .space { return }
            beginLineIfDue()
        }
        bytes.append(octet.isASCIIControl ? UInt8(ascii: "?") : octet)
        column += 1
        length += 1
        if octet != .space { lineHasPiece = true }
    }
}
