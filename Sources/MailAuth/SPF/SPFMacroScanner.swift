internal import MailSyntax

/// One piece of a macro string (RFC 7208, section 7.1).
enum SPFMacroToken: Hashable {
    /// Octets that stand for themselves.
    case literal(Range<Int>)
    /// "%%", "%_" or "%-", named by the second character.
    case escape(UInt8)
    /// "%{...}".
    case macro(SPFMacro)
}

/// A macro-expand in braces: `%{l1r+-}`.
struct SPFMacro: Hashable {
    /// The letter, in lower case.
    var letter: UInt8
    /// Whether the letter was a capital: the expansion is then URL escaped.
    var isEscaped: Bool
    /// How many right-hand parts are kept; nil for all.
    var parts: Int?
    /// Whether the parts are reversed.
    var isReversed: Bool
    /// The octets that the value is split at; empty where none were given, which means the dot.
    var delimiters: Range<Int>

    /// Whether the value is split and joined at all (RFC 7208, section 7.3).
    var transforms: Bool { parts != nil || isReversed || !delimiters.isEmpty }
}

/// Reads a macro string piece by piece: to check it when a record is parsed, and to expand it later.
///
/// Trust: text from anyone's DNS; linear time, no copies.
struct SPFMacroScanner {
    /// Where the text comes from decides what it may hold.
    enum Context {
        /// A domain-spec: no spaces, and none of the letters c, r and t.
        case domain
        /// The value of a modifier that means nothing to us: any macro letter.
        case unknownModifier
        /// An explain-string: any macro letter, and spaces.
        case explanation
    }

    let bytes: [UInt8]
    let end: Int
    let context: Context
    private(set) var position: Int

    init(_ bytes: [UInt8], _ range: Range<Int>, _ context: Context) {
        self.bytes = bytes
        self.context = context
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next piece; nil at the end.
    mutating func next() throws(SPFSyntaxError) -> SPFMacroToken? {
        guard position < end else { return nil }
        if bytes[position] == 0x25 { return try percent() }
        let start = position
        while position < end, bytes[position] != 0x25 {
            // macro-literal is %x21-24 / %x26-7E; an explain-string has SP as well.
            guard
                0x21...0x7E ~= bytes[position]
                    || bytes[position] == .space && context == .explanation
            else { throw SPFSyntaxError(.forbiddenOctet(bytes[position]), at: position) }
            position += 1
        }
        return .literal(start..<position)
    }

    /// Reads what begins with "%" (RFC 7208, section 7.3).
    private mutating func percent() throws(SPFSyntaxError) -> SPFMacroToken {
        let start = position
        guard start + 1 < end else { throw SPFSyntaxError(.strayPercent, at: start) }
        let second = bytes[start + 1]
        position += 2
        switch second {
        case 0x25, 0x5F, 0x2D: return .escape(second)
        case 0x7B: return .macro(try braces())
        default: throw SPFSyntaxError(.strayPercent, at: start)
        }
    }

    /// Reads a macro from its letter to its "}".
    private mutating func braces() throws(SPFSyntaxError) -> SPFMacro {
        guard position < end else { throw SPFSyntaxError(.badMacro, at: position) }
        let letter = bytes[position]
        guard letterIsKnown(letter.asciiLowercased) else {
            throw SPFSyntaxError(.unknownMacro(letter), at: position)
        }
        position += 1
        let parts = try partCount()
        let isReversed = position < end && bytes[position].asciiLowercased == 0x72
        if isReversed { position += 1 }
        let delimiterStart = position
        while position < end, SPFMacroScanner.isDelimiter(bytes[position]) { position += 1 }
        guard position < end, bytes[position] == 0x7D else {
            throw SPFSyntaxError(.badMacro, at: position)
        }
        position += 1
        return SPFMacro(
            letter: letter.asciiLowercased, isEscaped: letter.asciiLowercased != letter,
            parts: parts, isReversed: isReversed, delimiters: delimiterStart..<(position - 1))
    }

    private func letterIsKnown(_ letter: UInt8) -> Bool {
        switch letter {
        // s l o d i p h v
        case 0x73, 0x6C, 0x6F, 0x64, 0x69, 0x70, 0x68, 0x76: true
        // c r t: "allowed only in "exp" text" (RFC 7208, section 7.2).
        case 0x63, 0x72, 0x74: context != .domain
        default: false
        }
    }

    /// Reads the digits; a value beyond the 127 labels that a name can have means all of them.
    private mutating func partCount() throws(SPFSyntaxError) -> Int? {
        let start = position
        var value = 0
        while position < end, bytes[position].isASCIIDigit {
            value = min(value * 10 + Int(bytes[position] - 0x30), 100_000)
            position += 1
        }
        guard position > start else { return nil }
        guard value > 0 else { throw SPFSyntaxError(.zeroParts, at: start) }
        return value
    }

    /// Whether an octet is a delimiter of section 7.1.
    static func isDelimiter(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x2E, 0x2D, 0x2B, 0x2C, 0x2F, 0x5F, 0x3D: true
        default: false
        }
    }
}
