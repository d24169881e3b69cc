import MailSyntax

/// The addresses in a field of a mailing list, which is a list of URIs (RFC 2369, section 2).
///
/// Trust: hostile text; linear time.
enum ListPost {
    /// Whether a field is one whose value is a list of URIs.
    static func isListField(_ name: FieldName) -> Bool { fields.contains(name) }

    private static let fields: Set<FieldName> = [
        "List-Post", "List-Owner", "List-Help", "List-Subscribe", "List-Unsubscribe",
        "List-Archive",
    ]

    /// The addresses of the field's `mailto:` URIs, in order.
    ///
    /// URIs stand between angle brackets; comments and what else is around them is ignored. Those with other schemes, and
    /// those with no address or several (RFC 6068, section 2), are left out.
    static func mailboxes(_ value: Span<UInt8>) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        var depth = 0
        var position = 0
        while position < value.count {
            switch value[position] {
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth = max(0, depth - 1)
            case UInt8(ascii: "<") where depth == 0:
                guard let end = value.firstIndex(of: UInt8(ascii: ">"), from: position) else {
                    return mailboxes
                }
                let uri = value.extracting(position + 1..<end).copied().filter {
                    !$0.isFoldingSpace
                }
                if let mailbox = mailbox(uri) { mailboxes.append(mailbox) }
                position = end
            default: break
            }
            position += 1
        }
        return mailboxes
    }

    /// The address of a `mailto:` URI: what stands before the "?", percent-encoding undone.
    private static func mailbox(_ uri: [UInt8]) -> Mailbox? {
        let scheme = Array("mailto:".utf8)
        guard uri.prefix(scheme.count).equalsIgnoringASCIICase(scheme) else { return nil }
        var address: [UInt8] = []
        var rest = uri[scheme.count...].prefix { $0 != UInt8(ascii: "?") }
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                address.append(octet)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue,
                let low = rest.popFirst()?.hexDigitValue
            else { return nil }
            address.append(high << 4 | low)
        }
        guard case .authors(let mailboxes) = AuthorField(parsing: address.span),
            mailboxes.count == 1
        else { return nil }
        return mailboxes.first
    }
}
