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
        guard let field = field(in: header) else { return nil }
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

    /// The octets of the body "that contribute to the DKIM body hash" (RFC 6591, section 3.2.4; RFC 6376, section 3.4).
    ///
    /// - Parameters:
    ///   - body: the whole body, as it was received.
    ///   - header: the header section that the signature is in.
    /// - Returns: the octets; nil where the signature cannot be read.
    package func canonicalizedBody(_ body: Span<UInt8>, in header: HeaderSection) -> [UInt8]? {
        guard let field = field(in: header) else { return nil }
        let octets = BodyCanonicalizer.octets(of: body, field.canonicalization.body)
        return field.bodyLength.map { Array(octets.prefix(Int(clamping: $0))) } ?? octets
    }

    private func field(in header: HeaderSection) -> SignatureField? {
        guard header.fields.indices.contains(fieldPosition) else { return nil }
        var parser = SignatureFieldParser(header, fieldPosition)
        return try? parser.parse()
    }
}
