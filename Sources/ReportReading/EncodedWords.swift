internal import MailSyntax

/// Encoded words of header fields (RFC 2047), decoded as far as they are UTF-8 or ASCII.
package enum EncodedWords {
    /// The text with its encoded words decoded; what is none stays as it is.
    package static func decoded(_ text: String) -> String {
        guard text.contains("=?") else { return text }
        var output: [UInt8] = []
        var rest = Array(text.utf8.prefix(8192))[...]
        var endsWithWord = false
        var spaces: [UInt8] = []
        while let octet = rest.first {
            if octet == 0x3D, let (word, length) = word(rest) {
                // White space between two of them is not part of the text (section 6.2).
                if !endsWithWord { output += spaces }
                output += word
                spaces = []
                rest = rest.dropFirst(length)
                endsWithWord = true
            } else if octet.isFoldingSpace {
                spaces.append(octet)
                rest = rest.dropFirst()
            } else {
                output += spaces + [octet]
                spaces = []
                rest = rest.dropFirst()
                endsWithWord = false
            }
        }
        return String(decoding: output + spaces, as: UTF8.self)
    }

    /// The word that octets begin with, "=?charset?encoding?text?=", and how long it is.
    private static func word(_ octets: ArraySlice<UInt8>) -> (octets: [UInt8], length: Int)? {
        guard octets.dropFirst().first == 0x3F else { return nil }
        var marks: [Int] = []
        for index in octets.indices.dropFirst(2).prefix(512) where octets[index] == 0x3F {
            marks.append(index)
            if marks.count == 3 { break }
        }
        guard marks.count == 3, octets.dropFirst(marks[2] + 1 - octets.startIndex).first == 0x3D
        else { return nil }
        let encoding = octets[(marks[0] + 1)..<marks[1]]
        let text = octets[(marks[1] + 1)..<marks[2]]
        let length = marks[2] + 2 - octets.startIndex
        switch encoding.first.map({ $0 | 0x20 }) {
        case UInt8(ascii: "b"): return (TransferDecoding.base64(text).octets, length)
        case UInt8(ascii: "q"):
            let spaced = text.map { $0 == 0x5F ? 0x20 : $0 }
            return (TransferDecoding.quotedPrintable(spaced[...]), length)
        default: return nil
        }
    }
}
