internal import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Judges signatures once everything is known (RFC 6376, sections 6.1.2 and 6.1.3).
struct SignatureJudge {
    private let header: HeaderSection
    private let truncatedFields: Set<Int>
    private let options: DKIMVerifierOptions
    private let keys: ParsedKeyCache
    private var selector: FieldSelector

    init(
        header: HeaderSection, truncatedFields: Set<Int>, options: DKIMVerifierOptions,
        keys: ParsedKeyCache
    ) {
        self.header = header
        self.truncatedFields = truncatedFields
        self.options = options
        self.keys = keys
        selector = FieldSelector(header)
    }

    /// Judges one signature.
    ///
    /// - Parameters:
    ///   - field: the signature.
    ///   - body: the hash that was asked for with it.
    ///   - answer: the answer to the question for its key.
    ///   - bodyLength: the length of the whole canonical body.
    /// - Returns: what came of the keys.
    mutating func judge(
        _ field: SignatureField, _ body: BodyHasher.Ticket, answer: DNSAnswer?, bodyLength: UInt64
    ) -> KeyTrial {
        KeyTrial(answer, keys) { verify(field, body, with: $0, bodyLength: bodyLength) }
    }

    /// The steps of sections 6.1.2 and 6.1.3 for one key record, in their order.
    private mutating func verify(
        _ field: SignatureField, _ body: BodyHasher.Ticket, with record: KeyRecord,
        bodyLength: UInt64
    ) -> DKIMReason {
        if let objection = record.objection(to: field.algorithm, options.minimumKeyBits) {
            return objection
        }
        guard !record.forbidsSubdomains || field.identityDomain == field.domain else {
            return .identityInSubdomain
        }
        if let length = field.bodyLength, length > bodyLength { return .bodyTooShort }
        guard body.digest.hash == field.bodyHash else { return .bodyChanged }
        let hash = HeaderHash(field, in: header, truncated: truncatedFields, &selector)
        guard record.key.verify(field.signature.span, of: hash.octets.span) else {
            return whyNot(field, record.key)
        }
        if let name = hash.fieldWithNUL { return .nulInField(name) }
        if let length = field.bodyLength, length < bodyLength {
            return .unsignedBody(octets: bodyLength &- length)
        }
        if let name = options.mustBeSigned.first(where: { !covers(field, $0) }) {
            return .unsignedField(name.text)
        }
        return .valid
    }

    /// Whether a signature covers every field of that name that the message has.
    private func covers(_ field: SignatureField, _ name: FieldName) -> Bool {
        let signed = field.names.filter {
            header.bytes[$0].equalsIgnoringASCIICase(name.lowercased)
        }
        return signed.count >= header.count(named: name)
    }

    /// What a signature that does not fit tells about itself: an RSA signature shows whether it was
    /// made with the key at all.
    private mutating func whyNot(_ field: SignatureField, _ key: PublicKey) -> DKIMReason {
        if field.algorithm == .rsaSHA256, !key.made(field.signature.span) { return .otherKey }
        return .headerChanged(field: CopiedFields.firstChanged(field, in: header, &selector))
    }
}
