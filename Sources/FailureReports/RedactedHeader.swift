internal import MailSyntax

/// The header section of a message as a report shows it: lines that end with a line feed.
///
/// Local-parts are redacted in all fields but Message-ID, which the domain's owner needs to find the message; names of people in the
/// fields that have addresses, and texts that people write, as a whole (RFC 9991, section 7: "minimization techniques").
///
/// Trust: any header section. What it gives is bounded, has no control characters but tabs, and no line longer than SMTP takes.
struct RedactedHeader {
    private let redactor: Redactor?

    /// How many octets are shown; fields that come after are left out.
    private static let limit = 65_536
    /// The longest line, in octets (RFC 5322, section 2.1.1, without the line's end).
    private static let longestLine = 990

    private static let texts: Set<String> = [
        "subject", "comments", "keywords", "thread-topic", "content-description",
    ]
    private static let people: Set<String> = [
        "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender",
        "resent-reply-to", "resent-to", "resent-cc", "resent-bcc", "author", "return-receipt-to",
        "disposition-notification-to", "errors-to", "mail-followup-to", "mail-reply-to",
    ]

    /// With a redactor; without one nothing is redacted.
    init(_ redactor: Redactor?) { self.redactor = redactor }

    /// The fields, in their order.
    func lines(of header: HeaderSection) -> [UInt8] {
        var output: [UInt8] = []
        for position in 0..<header.count {
            let name = Array(header.name(of: position))
            let field = name + [UInt8(ascii: ":")] + value(of: name, header.value(of: position))
            let lines = Self.lines(field)
            guard output.count + lines.count <= Self.limit else { break }
            output += lines
        }
        return output
    }

    private func value(of name: [UInt8], _ value: ArraySlice<UInt8>) -> [UInt8] {
        guard let redactor else { return Array(value) }
        let name = String(decoding: name.asciiLowercased, as: UTF8.self)
        if name == "message-id" { return Array(value) }
        if Self.texts.contains(name) {
            return [0x20] + redactor.redacted(value.trimmingFoldingSpace())
        }
        return Self.people.contains(name)
            ? RedactedAddressList(redactor).text(of: value) : redactor.addresses(in: value)
    }

    /// A field as lines, whatever is in it.
    private static func lines(_ field: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var length = 0
        for (index, octet) in field.enumerated() {
            switch octet {
            case 0x0D where index + 1 < field.count && field[index + 1] == 0x0A: continue
            case 0x0A:
                // Only a fold may end a line, and none may be empty.
                let isFold = index + 1 < field.count && field[index + 1].isWSP
                guard isFold, length > 0 else { continue }
                output.append(0x0A)
                length = 0
                continue
            default: break
            }
            if length >= longestLine, octet & 0xC0 != 0x80 {
                output += [0x0A, 0x20]
                length = 1
            }
            output.append(octet.isASCIIControl && octet != 0x09 ? UInt8(ascii: "?") : octet)
            length += 1
        }
        return output + [0x0A]
    }
}
