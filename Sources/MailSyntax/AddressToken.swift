/// One lexical token of an address field (RFC 5322, section 3.2).
struct AddressToken {
    enum Kind: Equatable {
        /// A run of atext (RFC 5322, section 3.2.3; RFC 6532, section 3.2).
        case atom
        /// A quoted string; the range has no quotes, but its quoted pairs still.
        case quoted
        /// A domain literal; the range has no brackets.
        case literal
        /// One of `< > @ , : ; .`
        case special(UInt8)
    }

    var kind: Kind
    var range: Range<Int>
    /// Whether white space or a comment stands before the token.
    var afterGap: Bool

    /// Whether the token may stand in a phrase, or be a part of a local-part.
    var isWord: Bool { kind == .atom || kind == .quoted }

    func isSpecial(_ octet: UInt8) -> Bool { kind == .special(octet) }
}

/// Cuts an address field into tokens, in one pass.
///
/// White space and comments are dropped; every octet that RFC 5322 does not allow where it stands is an
/// error. The controls that its obsolete syntax once allowed (section 4.1) are errors too: no mailer
/// writes them, and readers differ over them.
///
/// Trust: hostile text. Comments nest to a depth that is counted, never by recursion.
struct AddressScanner {
    /// How deep comments may nest.
    static let maximumCommentDepth = 32

    private let text: [UInt8]
    private var position = 0
    private var tokens: [AddressToken] = []

    private init(_ text: [UInt8]) {
        self.text = text
    }

    /// Cuts text, in whatever encoding that has ASCII's marks, into tokens.
    static func tokens(of text: [UInt8]) throws(AuthorFieldError) -> [AddressToken] {
        var scanner = AddressScanner(text)
        try scanner.scan()
        return scanner.tokens
    }

    private mutating func scan() throws(AuthorFieldError) {
        tokens.reserveCapacity(16)
        var gap = false
        while position < text.count {
            let start = position
            switch text[position] {
            case .space, .tab, .cr, .lf:
                try passOctet()
                gap = true
            case UInt8(ascii: "("):
                try passComment()
                gap = true
            case UInt8(ascii: "\""):
                let content = try passQuotedString()
                append(.quoted, content, &gap)
            case UInt8(ascii: "["):
                let content = try passLiteral()
                append(.literal, content, &gap)
            case UInt8(ascii: ")"): throw AuthorFieldError.unbalancedComment
            case UInt8(ascii: "]"): throw AuthorFieldError.unbalancedBracket
            case UInt8(ascii: "\\"): throw AuthorFieldError.strayBackslash
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"), UInt8(ascii: ","),
                UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "."):
                position += 1
                append(.special(text[start]), start..<position, &gap)
            default:
                try passOctet()
                while position < text.count, AddressSyntax.isAtext(text[position]) {
                    position += 1
                }
                append(.atom, start..<position, &gap)
            }
        }
    }

    private mutating func append(
        _ kind: AddressToken.Kind, _ range: Range<Int>, _ gap: inout Bool
    ) {
        tokens.append(AddressToken(kind: kind, range: range, afterGap: gap))
        gap = false
    }

    /// Passes one octet, or the line end of a fold (RFC 5322, section 3.2.2).
    ///
    /// The white space after a line end stays, so that a fold always leaves a gap. A fold may be CRLF or,
    /// as milters have it, LF.
    private mutating func passOctet() throws(AuthorFieldError) {
        switch text[position] {
        case 0: throw AuthorFieldError.nul
        case .cr:
            guard position + 1 < text.count, text[position + 1] == .lf else {
                throw AuthorFieldError.bareCR
            }
            position += 1
            fallthrough
        case .lf:
            guard position + 1 < text.count, text[position + 1].isWSP else {
                throw AuthorFieldError.bareLF
            }
        case .tab: break
        case let octet where octet.isASCIIControl: throw AuthorFieldError.controlCharacter
        default: break
        }
        position += 1
    }

    /// Passes a backslash and the octet that it quotes (RFC 5322, section 3.2.1).
    private mutating func passQuotedPair() throws(AuthorFieldError) {
        position += 1
        guard position < text.count else { throw AuthorFieldError.strayBackslash }
        // A quoted line end would be a fold to some readers, and text to others.
        guard text[position] != .cr, text[position] != .lf else {
            throw AuthorFieldError.controlCharacter
        }
        try passOctet()
    }

    private mutating func passComment() throws(AuthorFieldError) {
        var depth = 0
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= AddressScanner.maximumCommentDepth else {
                    throw AuthorFieldError.commentTooDeep
                }
                position += 1
            case UInt8(ascii: ")"):
                depth -= 1
                position += 1
                if depth == 0 { return }
            case UInt8(ascii: "\\"):
                try passQuotedPair()
            default:
                try passOctet()
            }
        }
        throw AuthorFieldError.unbalancedComment
    }

    private mutating func passQuotedString() throws(AuthorFieldError) -> Range<Int> {
        position += 1
        let start = position
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                position += 1
                return start..<(position - 1)
            case UInt8(ascii: "\\"):
                try passQuotedPair()
            default:
                try passOctet()
            }
        }
        throw AuthorFieldError.unbalancedQuote
    }

    private mutating func passLiteral() throws(AuthorFieldError) -> Range<Int> {
        position += 1
        let start = position
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "]"):
                position += 1
                return start..<(position - 1)
            case UInt8(ascii: "["): throw AuthorFieldError.unbalancedBracket
            case UInt8(ascii: "\\"):
                try passQuotedPair()
            default:
                try passOctet()
            }
        }
        throw AuthorFieldError.unbalancedBracket
    }
}
