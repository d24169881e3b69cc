internal import MailSyntax

/// A header field as lines that end with a line feed, folded where it has spaces.
enum FoldedLine {
    /// Where lines are folded if they can be (RFC 5322, section 2.1.1), and where they are whatever they have.
    private static let wanted = 78
    private static let longest = 990

    /// The lines; what is no printable text becomes question marks.
    static func octets(_ name: String, _ value: String) -> [UInt8] {
        var lines = Array("\(name):".utf8)
        var length = lines.count
        for word in value.utf8.split(whereSeparator: \.isFoldingSpace) {
            if length + 1 + word.count > wanted, length > name.utf8.count + 1 {
                lines.append(0x0A)
                length = 0
            }
            lines.append(0x20)
            length += 1
            for octet in word {
                if length >= longest, octet & 0xC0 != 0x80 {
                    lines += [0x0A, 0x20]
                    length = 1
                }
                lines.append(octet.isASCIIControl ? UInt8(ascii: "?") : octet)
                length += 1
            }
        }
        return lines + [0x0A]
    }
}
