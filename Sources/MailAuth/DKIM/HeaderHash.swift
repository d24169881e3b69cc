internal import MailCrypto
internal import MailSyntax

/// The hash of the signed header fields and of the signature field itself (RFC 6376, section 3.7,
/// step 2).
///
/// Trust: any header section; time linear in the fields and names, memory constant.
struct HeaderHash {
    /// The hash.
    let octets: [UInt8]
    /// The name of a hashed field that has, or had, a NUL octet, if there is one.
    let fieldWithNUL: String?

    /// How much is gathered before it is hashed.
    private static let gathered = 16_384

    /// Hashes what a signature covers.
    init(
        _ field: SignatureField, in header: HeaderSection, truncated: Set<Int>,
        _ selector: inout FieldSelector
    ) {
        let bytes = header.bytes.span
        var digest = SHA256()
        var canonical: [UInt8] = []
        canonical.reserveCapacity(4096)
        var fieldWithNUL: String?
        selector.restart()
        for name in field.names {
            // The signature being verified is no field of the message for its own "h=".
            guard let position = selector.take(bytes.extracting(name)),
                position != field.position
            else { continue }
            if fieldWithNUL == nil {
                fieldWithNUL = Self.nameIfNUL(header, position, truncated)
            }
            HeaderCanonicalizer.append(
                header.fields[position], of: bytes, field.canonicalization.header, to: &canonical)
            if canonical.count >= Self.gathered {
                digest.update(canonical.span)
                canonical.removeAll(keepingCapacity: true)
            }
        }
        HeaderCanonicalizer.append(
            signature: header.fields[field.position], blanking: field.blank, of: bytes,
            field.canonicalization.header, to: &canonical)
        digest.update(canonical.span)
        octets = digest.finish()
        self.fieldWithNUL = fieldWithNUL ?? Self.nameIfNUL(header, field.position, truncated)
    }

    private static func nameIfNUL(
        _ header: HeaderSection, _ position: Int, _ truncated: Set<Int>
    ) -> String? {
        let whole = header.bytes.span.extracting(header.fields[position].whole)
        guard truncated.contains(position) || whole.firstIndex(of: 0) != nil else { return nil }
        return String(decoding: header.name(of: position), as: UTF8.self)
    }
}
