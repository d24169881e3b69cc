internal import MailSyntax

/// The encoding of `i=` and `z=` (dkim-quoted-printable of RFC 6376, section 2.11).
enum QuotedPrintable {
    /// The octets with all but dkim-safe-char, and "|", as "=XX".
    static func encode(_ octets: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count)
        for octet in octets {
            if isSafe(octet) {
                text.append(octet)
            } else {
                text.append(UInt8(ascii: "="))
                text.append(digits[Int(octet >> 4)])
                text.append(digits[Int(octet & 15)])
            }
        }
        return text
    }

    /// The octets that a text stands for, white space disregarded; nil where it is not so encoded.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        var position = text.startIndex
        while position < text.endIndex {
            let octet = text[position]
            text.formIndex(after: &position)
            guard octet == UInt8(ascii: "=") else {
                if !octet.isFoldingSpace { octets.append(octet) }
                continue
            }
            var value: UInt8 = 0
            for _ in 0..<2 {
                guard position < text.endIndex, let digit = text[position].hexDigitValue else {
                    return nil
                }
                value = value << 4 | digit
                text.formIndex(after: &position)
            }
            octets.append(value)
        }
        return octets
    }

    private static func isSafe(_ octet: UInt8) -> Bool {
        octet > 0x20 && octet < 0x7F && octet != UInt8(ascii: ";") && octet != UInt8(ascii: "=")
            && octet != UInt8(ascii: "|")
    }

    private static let digits = [UInt8]("0123456789ABCDEF".utf8)
}
