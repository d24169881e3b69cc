internal import MailSyntax

/// What a delivery status notification says about its first recipient (RFC 3464).
///
/// Trust: any octets, in linear time; what is no notification is nil.
package struct BounceNotice: Hashable, Sendable {
    /// What the address does with mail.
    package enum Kind: Hashable, Sendable {
        /// It takes none: it does not exist, or is closed (RFC 3463, sections 3.2 and 3.3: X.1.x, X.2.1).
        case closed
        /// It did not take this one.
        case refused
        /// The mail is still on its way, or has arrived.
        case none
    }

    /// What the address does with mail.
    package let kind: Kind
    /// The status and what the other host said, in a line.
    package let reason: String

    /// How much of a mail is read, in octets, and of a reason.
    private static let limit = 1 << 20
    private static let reasonLimit = 300

    /// Reads a mail.
    package init?(parsing mail: some Collection<UInt8>) {
        let lines = mail.prefix(Self.limit).split(
            separator: 0x0A, omittingEmptySubsequences: false
        ).map { Array($0.last == 0x0D ? $0.dropLast() : $0) }
        guard let fields = Self.statusFields(lines) else { return nil }
        guard let action = fields["action"]?.asciiLowercased else { return nil }
        let status = fields["status"]?.split { $0 == " " || $0 == "(" }.first.map(String.init)
        let said = fields["diagnostic-code"] ?? ""
        reason = LineText.line(
            [status ?? action, said].filter { !$0.isEmpty }.joined(separator: " "),
            atMost: Self.reasonLimit)
        guard action == "failed" else {
            kind = .none
            return
        }
        let isClosed = status.map { $0.hasPrefix("5.1.") || $0 == "5.2.1" } ?? false
        kind = isClosed ? .closed : .refused
    }

    /// The fields of the first recipient in the part message/delivery-status, by their names in lower case.
    private static func statusFields(_ lines: [[UInt8]]) -> [String: String]? {
        let type = Array("content-type: message/delivery-status".utf8)
        guard
            let head = lines.firstIndex(where: {
                $0.prefix(type.count).equalsIgnoringASCIICase(type)
            }), let begin = lines[head...].firstIndex(of: [])
        else { return nil }
        var fields: [String: String] = [:]
        var last: String?
        for line in lines[(begin + 1)...] {
            if line.starts(with: "--".utf8) { break }
            if line.isEmpty {
                // The fields of the message come first, those of a recipient have an action.
                if fields["action"] != nil { break }
                (fields, last) = ([:], nil)
            } else if line[0].isWSP {
                let more = String(decoding: line.trimmingFoldingSpace(), as: UTF8.self)
                if let last { fields[last, default: ""] += " " + more }
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                let name = String(decoding: line[..<colon].asciiLowercased, as: UTF8.self)
                let value = line[(colon + 1)...].trimmingFoldingSpace()
                fields[name] = String(decoding: value, as: UTF8.self)
                last = name
            }
        }
        return fields.isEmpty ? nil : fields
    }
}

/// Text of strangers in one line.
private enum LineText {
    static func line(_ text: String, atMost limit: Int) -> String {
        let scalars = text.unicodeScalars.prefix(limit).map { scalar -> Character in
            scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value ? " " : Character(scalar)
        }
        return String(scalars)
    }
}
