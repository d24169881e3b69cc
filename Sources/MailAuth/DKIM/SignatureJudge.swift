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

    /// The most TXT records at one name that are tried.
    ///
    /// They "MUST be unique for a particular selector name", and several are "undefined" (section
    /// 3.6.2.2), but a verifier "may cycle through the key records" (section 6.1.2, step 4): we do,
    /// so that a stray record does no harm.
    private static let maximumRecords = 4

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
    mutating func judge(
        _ candidate: DKIMVerifier.Candidate, _ pending: DKIMVerifier.Pending, answer: DNSAnswer?,
        bodyLength: UInt64
    ) -> DKIMResult {
        let texts: [[UInt8]]
        let isSecure: Bool
        switch answer {
        case .records(let records, let security):
            texts = records.compactMap(Self.text)
            isSecure = security == .secure
        case .noData, .nameError:
            return DKIMResult(candidate, .noKey)
        case .failure(let failure):
            return DKIMResult(candidate, .dns(failure))
        case nil:
            return DKIMResult(candidate, .dns(.timeout))
        }
        var first: DKIMResult?
        var firstError: KeyRecordError?
        for text in texts.prefix(Self.maximumRecords) {
            switch keys.record(for: text) {
            case .failure(let error):
                firstError = firstError ?? error
            case .success(let record):
                let reason = verify(pending, with: record, bodyLength: bodyLength)
                var result = DKIMResult(candidate, reason)
                result.keyBits = record.key.bits
                result.isKeySecure = isSecure
                result.isTesting = record.isTesting
                if result.status == .pass { return result }
                first = first ?? result
            }
        }
        return first ?? DKIMResult(candidate, firstError.map { .keyRecord($0) } ?? .noKey)
    }

    /// The text of a TXT record: its strings, with nothing in between (section 3.6.2.2).
    private static func text(_ record: DNSRecord) -> [UInt8]? {
        guard case .text(let strings) = record else { return nil }
        return strings.count == 1 ? strings[0] : Array(strings.joined())
    }

    /// The steps of sections 6.1.2 and 6.1.3 for one key record, in their order.
    private mutating func verify(
        _ pending: DKIMVerifier.Pending, with record: KeyRecord, bodyLength: UInt64
    ) -> DKIMReason {
        let field = pending.field
        guard record.servesMail else { return .keyService }
        guard record.allowsSHA256 else { return .keyHash }
        guard record.type == field.algorithm.keyType else { return .keyType }
        // RFC 8301, section 3.2: "Verifiers MUST NOT consider signatures using RSA keys of less
        // than 1024 bits as valid signatures."
        let minimum = max(options.minimumKeyBits, KeyLimits.leastSigningBits)
        guard record.type != .rsa || record.key.bits >= minimum else {
            return .keyTooShort(bits: record.key.bits, minimum: minimum)
        }
        guard !record.forbidsSubdomains || field.identityDomain == field.domain else {
            return .identityInSubdomain
        }
        if let length = field.bodyLength, length > bodyLength { return .bodyTooShort }
        guard pending.body.digest.hash == field.bodyHash else { return .bodyChanged }
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
