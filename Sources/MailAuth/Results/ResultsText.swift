internal import MailSyntax

/// Lexical rules of Authentication-Results: the words, strings and comments of RFC 8601, section 2.2.
///
/// Trust: hostile text; iterative and linear. A caller that is told that a comment or a string has no end
/// must not ask again further on.
enum ResultsText {
    /// Whether an octet is one of the tspecials, which end a token (RFC 2045, section 5.1).
    static func isTspecial(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"),
            UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// Whether text is a token (RFC 2045, section 5.1).
    static func isToken(_ text: String) -> Bool {
        let octets = text.utf8.span
        for index in octets.indices {
            let octet = octets[index]
            guard octet > 0x20, octet < 0x7F, !isTspecial(octet) else { return false }
        }
        return !octets.isEmpty
    }

    /// Whether text is a Keyword: letters, digits and inner hyphens (RFC 5321, section 4.1.2).
    static func isKeyword(_ text: String) -> Bool {
        isKeyword(text.utf8.span)
    }

    private static func isKeyword(_ octets: Span<UInt8>) -> Bool {
        guard !octets.isEmpty, octets[octets.count - 1].isASCIIAlphanumeric else { return false }
        for index in octets.indices {
            guard octets[index].isASCIIAlphanumeric || octets[index] == UInt8(ascii: "-") else {
                return false
            }
        }
        return true
    }

    /// Whether text is `[[local-part] "@"] domain-name` with an "@", in the form to be written.
    static func isIdentity(_ text: String) -> Bool {
        guard text.utf8.span.firstIndex(of: UInt8(ascii: "@")) != nil else { return false }
        let octets = Array(text.utf8)
        var at = octets.startIndex
        if octets.first == UInt8(ascii: "\"") {
            guard let end = endOfQuotedString(octets.span, at: 0) else { return false }
            let content = octets[1..<end - 1]
            // One spelling only: what would be written for this local-part.
            guard localPart(AddressSyntax.unquoted(content)) == Array(octets[..<end]) else {
                return false
            }
            at = end
        } else {
            at = octets.firstIndex(of: UInt8(ascii: "@")) ?? octets.endIndex
            let localPart = octets[..<at]
            guard localPart.isEmpty || AddressSyntax.isDotAtom(localPart),
                !holdsEncodedWordMark(localPart)
            else { return false }
        }
        guard at < octets.endIndex, octets[at] == UInt8(ascii: "@") else { return false }
        // domain-name = sub-domain 1*("." sub-domain) (RFC 6376, section 3.5)
        let labels = octets[(at + 1)...].split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count > 1
            && labels.allSatisfy { $0.first != UInt8(ascii: "-") && isKeyword($0.span) }
    }

    /// An address in the form to be written, or nil for text that is no address.
    ///
    /// The form is `[[local-part] "@"] domain-name`, with the local-part quoted where it must be and the
    /// domain in A-labels. Atoms and dots in any order count as a local-part, as some addresses in use are so.
    /// An email identity "MUST" be written so (RFC 8601, section 2.2), not as one quoted string.
    static func identity(_ text: String) -> [UInt8]? {
        guard text.utf8.span.firstIndex(of: UInt8(ascii: "@")) != nil else { return nil }
        let octets = Array(text.utf8)
        guard octets.last != UInt8(ascii: "."),
            let at = octets.lastIndex(of: UInt8(ascii: "@")),
            let domain = try? DomainName(bytes: octets[(at + 1)...])
        else { return nil }
        var local = Array(octets[..<at])
        if local.first == UInt8(ascii: "\""), endOfQuotedString(local.span, at: 0) == local.count {
            local = AddressSyntax.unquoted(local[1..<local.count - 1])
        } else if local.contains(where: {
            $0 != UInt8(ascii: ".") && !AddressSyntax.isAtext($0)
        }) {
            return nil
        }
        let written = (local.isEmpty ? [] : localPart(local)) + [UInt8(ascii: "@")]
        let identity = written + Array(domain.ascii.utf8)
        return isIdentity(String(decoding: identity, as: UTF8.self)) ? identity : nil
    }

    /// Whether text can be written as an identity that readers see as it is.
    static func canBeIdentity(_ text: String) -> Bool {
        let isPlain = text.utf8.span.isPrintableASCII
        guard isPlain || text.unicodeScalars.allSatisfy({ !isControl($0) && !isFormat($0) }) else {
            return false
        }
        return isIdentity(text) || identity(text) != nil
    }

    /// Whether a character changes how those around it are shown, such as their direction.
    private static func isFormat(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .format
    }

    /// Whether octets, written after "=", hold `=?`, which begins an encoded word.
    private static func holdsEncodedWordMark(_ octets: ArraySlice<UInt8>) -> Bool {
        octets.first == UInt8(ascii: "?")
            || zip(octets, octets.dropFirst()).contains {
                $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?")
            }
    }

    /// A quoted string with this content.
    ///
    /// Readers that undo encoded words before they parse (against RFC 2047, section 5) must find none:
    /// `=?` becomes `=\?`, which is the same text.
    static func quoted(_ content: [UInt8]) -> [UInt8] {
        var result = [UInt8(ascii: "\"")]
        result.reserveCapacity(content.count + 4)
        appendEscaped(content.span, to: &result) {
            $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\")
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    /// A local-part as it is written: a dot-atom as it is, anything else quoted.
    static func localPart(_ octets: [UInt8]) -> [UInt8] {
        AddressSyntax.isDotAtom(octets) && !holdsEncodedWordMark(octets[...])
            ? octets : quoted(octets)
    }

    /// Appends a comment with this content, encoded words broken up as in `quoted`.
    static func appendComment(_ content: Span<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "("))
        appendEscaped(content, to: &output) {
            $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ")") || $0 == UInt8(ascii: "\\")
        }
        output.append(UInt8(ascii: ")"))
    }

    private static func appendEscaped(
        _ content: Span<UInt8>, to output: inout [UInt8], _ isSpecial: (UInt8) -> Bool
    ) {
        var previous: UInt8 = 0
        // What needs no backslash goes in one piece.
        var start = 0
        for index in content.indices {
            let octet = content[index]
            if isSpecial(octet) || (octet == UInt8(ascii: "?") && previous == UInt8(ascii: "=")) {
                output.append(contentsOf: content.extracting(start..<index))
                output.append(UInt8(ascii: "\\"))
                start = index
            }
            previous = octet
        }
        output.append(contentsOf: content.extracting(start...))
    }

    /// Text that may stand in a field: control characters and line separators become "?".
    static func printable(_ text: String) -> String {
        // All that is not plain ASCII is looked at, character by character.
        guard !text.utf8.span.isPrintableASCII else { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }

    /// The position after the comment that begins here, or nil if it has no end.
    static func endOfComment(_ text: Span<UInt8>, at start: Int) -> Int? {
        var depth = 0
        var position = start
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { return position + 1 }
            case UInt8(ascii: "\\"): position += 1
            default: break
            }
            position += 1
        }
        return nil
    }

    /// The position after the quoted string that begins here, or nil if it has no end.
    static func endOfQuotedString(_ text: Span<UInt8>, at start: Int) -> Int? {
        var position = start + 1
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""): return position + 1
            case UInt8(ascii: "\\"): position += 1
            default: break
            }
            position += 1
        }
        return nil
    }
}
