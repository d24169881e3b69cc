internal import MailSyntax

/// The fields of a `z=` tag while a signature is made (RFC 6376, section 3.5).
struct CopiedFieldsWriter {
    /// The copies, each "name:value" in dkim-quoted-printable.
    private(set) var fields: [[UInt8]] = []
    private var size = 0

    /// The greatest size of all copies together: a copy is for diagnosis, and a field that no MTA
    /// carries would help nobody.
    private static let limit = 16_384

    /// Adds a copy, unless it would be too large.
    mutating func append(_ header: HeaderSection, _ position: Int) {
        let field = header.fields[position]
        guard size + field.whole.count <= Self.limit else { return }
        var copy = Array(header.name(of: position))
        copy.append(UInt8(ascii: ":"))
        copy.append(contentsOf: QuotedPrintable.encode(header.value(of: position)))
        guard size + copy.count <= Self.limit, copy.count < 900 else { return }
        size += copy.count
        fields.append(copy)
    }
}
