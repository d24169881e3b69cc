internal import MailSyntax

/// The MIME-Version field without its comments, which mean nothing and name programs (RFC 2045, section 4).
///
/// Trust: hostile octets; linear time.
enum MIMEVersion {
    /// The field's name.
    static let name: FieldName = "MIME-Version"

    /// The value without comments; nil where it has none.
    static func withoutComments(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.contains(UInt8(ascii: "(")) else { return nil }
        var version: [UInt8] = []
        var depth = 0
        var isEscaped = false
        for octet in value {
            switch octet {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\") where depth > 0: isEscaped = true
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")") where depth > 0: depth -= 1
            // White space between digits and dot means no more than a comment there.
            case _ where depth == 0 && !octet.isFoldingSpace: version.append(octet)
            default: break
            }
        }
        return [.space] + version
    }
}
