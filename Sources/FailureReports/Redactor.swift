internal import MailCrypto
internal import MailSyntax

/// Replaces what tells who people are by what tells only whether they are the same (RFC 6590).
///
/// "Redact" of section 3 with HMAC-SHA-256 for the digest: with one key, one text always becomes the same text, and without the key
/// nobody can try names until one fits.
///
/// Trust: any octets, in linear time.
package struct Redactor: Sendable {
    private let key: [UInt8]

    /// How many octets of the digest are used: 12 characters of base64.
    private static let digestLength = 9

    /// Creates a redactor with a key, which is to be random and secret.
    package init(key: [UInt8]) { self.key = key }

    /// What stands for a text: letters, digits, "-" and "_", so that it is an atom wherever it stands.
    package func redacted(_ text: some Sequence<UInt8>) -> [UInt8] {
        let code = HMAC.code(of: Array(text), key: key)
        return Base64.octets(of: Array(code.prefix(Self.digestLength)).span).map { octet in
            switch octet {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: octet
            }
        }
    }

    /// A text in which the local-part of everything that looks like an address is redacted.
    package func addresses(in text: some Collection<UInt8>) -> [UInt8] {
        let text = Array(text)
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        /// What comes before this is in the output already.
        var done = 0
        var position = 0
        while position < text.count {
            guard let length = Self.atSign(text, position) else {
                position += 1
                continue
            }
            let local = Self.localPart(of: text, before: position, from: done)
            if !local.isEmpty {
                output += text[done..<local.lowerBound]
                output += redacted(Self.unquoted(text[local]))
                done = local.upperBound
            }
            position += length
        }
        return output + text[done...]
    }

    /// How many octets an "@" takes here: one, or three in a URI; nil where there is none.
    private static func atSign(_ text: [UInt8], _ position: Int) -> Int? {
        switch text[position] {
        case UInt8(ascii: "@"): 1
        case UInt8(ascii: "%")
        where text.count - position > 2 && text[position + 1] == UInt8(ascii: "4")
            && text[position + 2] == UInt8(ascii: "0"):
            3
        default: nil
        }
    }

    /// Where the local-part before an "@" is: a quoted string, or a run of atoms and dots.
    private static func localPart(of text: [UInt8], before at: Int, from limit: Int) -> Range<Int> {
        var end = at
        // RFC 5322, section 4.4, allows white space there.
        while end > limit, text[end - 1].isFoldingSpace { end -= 1 }
        var start = end
        if end > limit, text[end - 1] == UInt8(ascii: "\"") {
            start -= 1
            while start > limit {
                start -= 1
                let isEscaped = start > limit && text[start - 1] == UInt8(ascii: "\\")
                if text[start] == UInt8(ascii: "\""), !isEscaped { return start..<end }
            }
            return limit..<end
        }
        while start > limit, isAtom(text[start - 1]) { start -= 1 }
        return start..<end
    }

    private static func unquoted(_ local: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard local.count >= 2, local.first == UInt8(ascii: "\""), local.last == local.first else {
            return local
        }
        return local.dropFirst().dropLast()
    }

    // atext of RFC 5322, section 3.2.3, the dot, and UTF-8 (RFC 6532, section 3.2).
    private static func isAtom(_ octet: UInt8) -> Bool {
        octet.isASCIIAlphanumeric || octet >= 0x80 || "!#$%&'*+-/=?^_`{|}~.".utf8.contains(octet)
    }
}
