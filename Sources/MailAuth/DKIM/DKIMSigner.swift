public import MailCrypto
public import MailSyntax

/// Signs one message with any number of keys (RFC 6376, section 5).
///
/// Made at the end of the header section, fed the body, and finished: the header section is
/// canonicalized once and the body hashed once for all keys. Pure: the caller passes the time. Trust: any
/// message; the keys and the recipe are the administrator's.
public struct DKIMSigner: ~Copyable {
    private let keys: [SigningKey]
    private let canonicalization: CanonicalizationPair
    private let time: Int64
    private let lifetime: Int64?
    /// The `h=` tag.
    private let names: [UInt8]
    /// The canonical form of the signed fields.
    private let signedFields: [UInt8]
    /// The `z=` tag; empty for none.
    private let copies: [UInt8]
    private var body = BodyHasher()
    private let bodyTicket: BodyHasher.Ticket

    /// Begins to sign.
    ///
    /// - Parameters:
    ///   - header: the whole header section, as the next hop will see it.
    ///   - keys: the keys; each makes a signature of its own.
    ///   - recipe: what to cover and to say.
    ///   - time: seconds since 1970, for `t=` and `x=`.
    public init(
        header: HeaderSection, keys: [SigningKey], recipe: SigningRecipe, time: Int64
    ) {
        self.keys = keys
        canonicalization = recipe.canonicalization
        lifetime = recipe.lifetime
        self.time = time
        let choice = recipe.plan.choose(header)
        names = choice.names
        var canonical: [UInt8] = []
        canonical.reserveCapacity(2048)
        var copies = CopiedFieldsWriter()
        for position in choice.positions {
            HeaderCanonicalizer.append(
                header.fields[position], of: header.bytes.span,
                recipe.canonicalization.header, to: &canonical)
            if recipe.copiesFields { copies.append(header, position) }
        }
        signedFields = canonical
        self.copies = copies.value
        bodyTicket = body.request(recipe.canonicalization.body)
    }

    /// Takes the next chunk of the body.
    public mutating func update(_ chunk: Span<UInt8>) {
        body.update(chunk)
    }

    /// Ends the body and signs.
    ///
    /// - Returns: a field for each key, in the order of the keys.
    /// - Throws: where OpenSSL fails, which is no fault of the message.
    public consuming func finish() throws(SigningFailure) -> [SignedField] {
        body.finish()
        let hash = bodyTicket.digest.hash
        let bodyHash = Base64.octets(of: hash.span)
        var digest = SHA256()
        var fields: [SignedField] = []
        for key in keys {
            var writer = unsignedValue(key, bodyHash)
            var canonical: [UInt8] = []
            canonical.reserveCapacity(writer.bytes.count + fieldName.count + 1)
            HeaderCanonicalizer.append(
                name: fieldName.span, value: writer.bytes.span, canonicalization.header,
                to: &canonical)
            digest.update(signedFields.span)
            digest.update(canonical.span)
            let signature = try key.key.sign(digest.finish().span)
            writer.appendBreakable(Base64.octets(of: signature.span).span)
            fields.append(
                SignedField(
                    value: writer.milterValue, domain: key.domain, selector: key.selector,
                    algorithm: key.algorithm))
        }
        return fields
    }

    /// The field's value up to and with "b=".
    private borrowing func unsignedValue(
        _ key: SigningKey, _ bodyHash: [UInt8]
    ) -> SignatureWriter {
        var writer = SignatureWriter()
        writer.tag("v", "1")
        writer.tag("a", key.algorithm.rawValue)
        writer.tag("c", canonicalization.description)
        writer.tag("d", key.domain.ascii)
        writer.tag("s", key.selector.ascii)
        if let identity = key.identity {
            writer.tag("i", QuotedPrintable.encode(identity.utf8).span)
        }
        if time >= 0 {
            writer.tag("t", String(time))
            if let lifetime, lifetime > 0 {
                writer.tag("x", String(time.addingSaturating(lifetime)))
            }
        }
        writer.tag("q", "dns/txt")
        writer.tag("h", list: names.span, separator: UInt8(ascii: ":"))
        if !copies.isEmpty { writer.tag("z", list: copies.span, separator: UInt8(ascii: "|")) }
        writer.tag("bh", bodyHash.span)
        writer.beginLastTag("b")
        return writer
    }
}

private let fieldName = [UInt8](SignedField.name.text.utf8)

extension Int64 {
    /// The sum, at most the largest number that twelve digits hold (RFC 6376, section 3.5).
    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? 999_999_999_999 : Swift.min(sum, 999_999_999_999)
    }
}
