package import MailSyntax

extension DKIMResult {
    /// The signed fields, and the signature's own without what `b=` says, as the verifier has hashed them: "the canonicalized header"
    /// of RFC 6591, section 3.2.4 (RFC 6376, section 3.7).
    ///
    /// - Parameters:
    ///   - header: the header section that the signature is in.
    ///   - limit: how many octets are of use.
    /// - Returns: the octets; nil where the signature cannot be read, and where they are more.
    package func canonicalizedHeader(in header: HeaderSection, atMost limit: Int) -> [UInt8]? {
        guard header.fields.indices.contains(fieldPosition) else { return nil }
        var parser = SignatureFieldParser(header, fieldPosition)
        guard let field = try? parser.parse() else { return nil }
        var selector = FieldSelector(header)
        let (bytes, kind) = (header.bytes.span, field.canonicalization.header)
        var octets: [UInt8] = []
        for position in HeaderHash.positions(field, in: header, &selector) {
            HeaderCanonicalizer.append(header.fields[position], of: bytes, kind, to: &octets)
            guard octets.count <= limit else { return nil }
        }
        HeaderCanonicalizer.append(
            signature: header.fields[fieldPosition], blanking: field.blank, of: bytes, kind,
            to: &octets)
        return octets.count <= limit ? octets : nil
    }
}
