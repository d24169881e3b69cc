/// Looks for addresses that show only when encoded words are decoded where none may be (RFC 2047, section 5),
/// or that have another character for their "@".
///
/// Trust: hostile text; of an encoded word, a bounded number of octets is looked at.
enum EncodedWordSearch {
    /// The longest encoded word that is looked at; RFC 2047, section 2, allows 75 octets.
    private static let longestWord = 1_024

    /// Whether octets have a full-width or a small "@" (U+FF20, U+FE6B).
    static func holdsDisguisedAtSign(_ octets: ArraySlice<UInt8>) -> Bool {
        guard octets.contains(0xEF) else { return false }
        return zip(octets, zip(octets.dropFirst(), octets.dropFirst(2))).contains { first, rest in
            first == 0xEF && (rest == (0xBC, 0xA0) || rest == (0xB9, 0xAB))
        }
    }

    /// Whether an encoded word that begins in octets has an "@" when it is decoded, or cannot be decoded here.
    ///
    /// - Parameters:
    ///   - octets: a token of the text, in which the word begins.
    ///   - text: the whole text, in which it ends.
    /// - Returns: whether there is such a word.
    static func hidesAtSign(_ octets: ArraySlice<UInt8>, in text: [UInt8]) -> Bool {
        var start = octets.startIndex
        while let mark = octets[start...].firstIndex(of: UInt8(ascii: "=")) {
            if mark + 1 < text.count, text[mark + 1] == UInt8(ascii: "?"),
                isHiding(text[(mark + 2)...].prefix(longestWord))
            {
                return true
            }
            start = mark + 1
        }
        return false
    }

    // encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
    private static func isHiding(_ rest: ArraySlice<UInt8>) -> Bool {
        let question = UInt8(ascii: "?")
        let parts = rest.split(
            separator: question, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, let encoding = parts[1].first, parts[1].count == 1 else {
            return false
        }
        let charset = String(decoding: parts[0].asciiLowercased, as: UTF8.self)
        // In these an "@" is not the octet of that name.
        if ["utf-7", "utf-16", "utf-32", "ucs-"].contains(where: charset.hasPrefix) { return true }
        let decoded: [UInt8]
        switch encoding.asciiLowercased {
        case UInt8(ascii: "q"): decoded = quotedPrintable(parts[2])
        case UInt8(ascii: "b"):
            guard let octets = Base64.decode(Array(parts[2]).span) else { return true }
            decoded = octets
        default: return false
        }
        return decoded.contains(UInt8(ascii: "@")) || holdsDisguisedAtSign(decoded[...])
    }

    private static func quotedPrintable(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            if text[position] == UInt8(ascii: "="), text.endIndex - position > 2,
                let high = text[position + 1].hexDigitValue,
                let low = text[position + 2].hexDigitValue
            {
                octets.append(high << 4 | low)
                position += 3
            } else {
                octets.append(text[position])
                position += 1
            }
        }
        return octets
    }
}
