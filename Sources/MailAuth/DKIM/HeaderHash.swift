internal import MailCrypto
internal import MailSyntax

/// The hash of the signed header fields and of the signature field itself (RFC 6376, section 3.7,
/// step 2).
///
/// Trust: any header section; time linear in the fields and names.
struct HeaderHash {
    /// The hash.
    let octets: [UInt8]
    /// The name of a hashed field that has, or had, a NUL octet, if there is one.
    let fieldWithNUL: String?

    /// A hash that is known already.
    init(octets: [UInt8], fieldWithNUL: String?) {
        self.octets = octets
        self.fieldWithNUL = fieldWithNUL
    }

    /// Hashes what a signature covers.
    init(
        _ field: SignatureField, in header: HeaderSection, _ fields: inout SignedFields,
        _ selector: inout FieldSelector
    ) {
        let bytes = header.bytes.span
        var positions = Self.positions(field, in: header, &selector)
        var digest = SHA256()
        fields.hash(positions, field.canonicalization.header, into: &digest)
        var canonical: [UInt8] = []
        HeaderCanonicalizer.append(
            signature: header.fields[field.position], blanking: field.blank, of: bytes,
            field.canonicalization.header, to: &canonical)
        digest.update(canonical.span)
        octets = digest.finish()
        positions.append(field.position)
        fieldWithNUL = positions.first { fields.hasNUL($0) }
            .map { String(decoding: header.name(of: $0), as: UTF8.self) }
    }

    /// The fields that a signature covers besides itself, in the order in which they are hashed.
    static func positions(
        _ field: SignatureField, in header: HeaderSection, _ selector: inout FieldSelector
    ) -> [Int] {
        let bytes = header.bytes.span
        var positions: [Int] = []
        positions.reserveCapacity(field.names.count)
        selector.restart()
        for name in field.names {
            // The signature being verified is no field of the message for its own "h=".
            guard let position = selector.take(bytes.extracting(name)),
                position != field.position
            else { continue }
            positions.append(position)
        }
        return positions
    }
}
