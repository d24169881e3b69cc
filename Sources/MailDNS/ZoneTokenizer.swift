/// Cuts a master file into entries of words (RFC 1035, section 5.1).
///
/// Trust: the text is the administrator's or a test's; its size is not bounded here, and reading it
/// takes linear time.
struct ZoneTokenizer {
    /// A word of the file with its escapes resolved.
    struct Token {
        var bytes: [UInt8] = []
        var isQuoted = false
        /// A dot that was written `\.`: no domain name that we can represent has one.
        var hasEscapedDot = false
        /// True when the first octet was escaped, so that `\@` is not the origin.
        var startsEscaped = false

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// One line, or several that parentheses join.
    struct Entry {
        var line: Int
        /// True when the line begins with white space: the owner is that of the record before.
        var inheritsOwner: Bool
        var tokens: [Token]
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The next entry that has a word, or nil at the end of the file.
    mutating func next() throws(ZoneError) -> Entry? {
        while position < bytes.count {
            let entry = try readEntry()
            if !entry.tokens.isEmpty { return entry }
        }
        return nil
    }

    private mutating func readEntry() throws(ZoneError) -> Entry {
        let first = bytes[position]
        var entry = Entry(
            line: line, inheritsOwner: first == .space || first == .tab, tokens: [])
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case .space, .tab, .carriageReturn:
                position += 1
            case .newline:
                position += 1
                line += 1
                if depth == 0 { return entry }
            case .semicolon:
                while position < bytes.count, bytes[position] != .newline { position += 1 }
            case .openParenthesis:
                depth += 1
                position += 1
            case .closeParenthesis:
                guard depth > 0 else { throw failure(.unbalancedParentheses) }
                depth -= 1
                position += 1
            case .quote:
                entry.tokens.append(try readQuoted())
            default:
                entry.tokens.append(try readWord())
            }
        }
        guard depth == 0 else { throw ZoneError(line: entry.line, reason: .unbalancedParentheses) }
        return entry
    }

    private mutating func readQuoted() throws(ZoneError) -> Token {
        var token = Token(isQuoted: true)
        position += 1
        while position < bytes.count, bytes[position] != .newline {
            if bytes[position] == .quote {
                position += 1
                return token
            }
            try readOctet(into: &token)
        }
        throw failure(.unterminatedString)
    }

    private mutating func readWord() throws(ZoneError) -> Token {
        var token = Token()
        while position < bytes.count {
            switch bytes[position] {
            case .space, .tab, .carriageReturn, .newline, .semicolon, .openParenthesis,
                .closeParenthesis, .quote:
                return token
            default:
                try readOctet(into: &token)
            }
        }
        return token
    }

    /// Reads one octet, which may be written `\X` or `\DDD`.
    private mutating func readOctet(into token: inout Token) throws(ZoneError) {
        guard bytes[position] == .backslash else {
            token.bytes.append(bytes[position])
            position += 1
            return
        }
        guard position + 1 < bytes.count, bytes[position + 1] >= .space else {
            throw failure(.badEscape)
        }
        if token.bytes.isEmpty { token.startsEscaped = true }
        guard let firstDigit = bytes[position + 1].decimalDigit else {
            if bytes[position + 1] == .dot { token.hasEscapedDot = true }
            token.bytes.append(bytes[position + 1])
            position += 2
            return
        }
        guard position + 3 < bytes.count, let second = bytes[position + 2].decimalDigit,
            let third = bytes[position + 3].decimalDigit,
            let octet = UInt8(exactly: firstDigit * 100 + second * 10 + third)
        else { throw failure(.badEscape) }
        if octet == .dot { token.hasEscapedDot = true }
        token.bytes.append(octet)
        position += 4
    }

    private func failure(_ reason: ZoneError.Reason) -> ZoneError {
        ZoneError(line: line, reason: reason)
    }
}

extension UInt8 {
    fileprivate static let tab = UInt8(ascii: "\t")
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
    fileprivate static let space = UInt8(ascii: " ")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let openParenthesis = UInt8(ascii: "(")
    fileprivate static let closeParenthesis = UInt8(ascii: ")")
    fileprivate static let dot = UInt8(ascii: ".")
    fileprivate static let semicolon = UInt8(ascii: ";")
    fileprivate static let backslash = UInt8(ascii: "\\")

    fileprivate var decimalDigit: Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            ? Int(self &- UInt8(ascii: "0")) : nil
    }
}
