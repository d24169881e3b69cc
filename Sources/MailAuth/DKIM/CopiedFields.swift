internal import MailSyntax

/// The fields of a `z=` tag while a signature is made (RFC 6376, section 3.5).
struct CopiedFieldsWriter {
    /// The copies, each "name:value" in dkim-quoted-printable, with "|" between them.
    private(set) var value: [UInt8] = []
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
        if !value.isEmpty { value.append(UInt8(ascii: "|")) }
        value.append(contentsOf: copy)
    }
}

/// Finds the field that was changed after signing, by the copies in `z=` (RFC 6376, section 3.5).
///
/// A diagnosis only: nothing rests on it, as `z=` may hold anything.
enum CopiedFields {
    /// The greatest `z=` that is compared.
    private static let limit = 65_536

    /// The name of the first copied and signed field that differs from the message's, in its relaxed
    /// form; nil where there is none.
    static func firstChanged(
        _ field: SignatureField, in header: HeaderSection, _ selector: inout FieldSelector
    ) -> String? {
        guard let copies = field.copies, copies.count <= limit else { return nil }
        let signed = Set(field.names.map { FieldName(bytes: header.bytes[$0]) })
        selector.restart()
        for copy in header.bytes[copies].split(separator: UInt8(ascii: "|")) {
            guard let colon = copy.firstIndex(of: UInt8(ascii: ":")),
                let value = QuotedPrintable.decode(copy[(colon + 1)...])
            else { return nil }
            let name = FieldName(bytes: copy[..<colon].trimmingFoldingSpace())
            guard signed.contains(name) else { continue }
            guard let position = selector.take(name.lowercased.span) else { return name.text }
            var copied: [UInt8] = []
            HeaderCanonicalizer.append(
                name: name.lowercased.span, value: value.span, .relaxed, to: &copied)
            var present: [UInt8] = []
            HeaderCanonicalizer.append(
                header.fields[position], of: header.bytes.span, .relaxed, to: &present)
            if present.dropLast(2) != copied[...] { return name.text }
        }
        return nil
    }
}
