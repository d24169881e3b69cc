internal import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Judges signatures once everything is known (RFC 6376, sections 6.1.2 and 6.1.3).
struct SignatureJudge {
    private let header: HeaderSection
    private let options: DKIMVerifierOptions
    private let keys: ParsedKeyCache
    private let witness: MessageWitness?
    private var selector: FieldSelector
    private var fields: SignedFields

    init(
        header: HeaderSection, truncatedFields: Set<Int>, options: DKIMVerifierOptions,
        keys: ParsedKeyCache, witness: MessageWitness? = nil
    ) {
        self.witness = witness
        self.header = header
        self.options = options
        self.keys = keys
        selector = FieldSelector(header)
        fields = SignedFields(header, truncated: truncatedFields)
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
        // What is hashed does not depend on the key: once for all records.
        var hash: HeaderHash?
        var trial = KeyTrial(answer, to: field.keyName, keys) {
            verify(field, body, with: $0, bodyLength: bodyLength, &hash)
        }
        if trial.reason == .headerChanged(field: nil), let key = trial.key {
            trial.reason = failureReason(field, key)
        }
        if let witness { testify(witness, field, body, hash, bodyLength, trial.reason) }
        return trial
    }

    /// Notes what the signature covers, so that it can be judged again.
    ///
    /// What the header fields hash to is noted although no key has come: another day there may be one.
    private mutating func testify(
        _ witness: MessageWitness, _ field: SignatureField, _ body: BodyHasher.Ticket,
        _ known: HeaderHash?, _ bodyLength: UInt64, _ reason: DKIMReason
    ) {
        guard !witness.isRecalling else {
            if witness.statement(of: field.position) == nil { witness.miss(field.position) }
            return
        }
        var hash = known
        if hash == nil, body.digest.hash == field.bodyHash {
            hash = HeaderHash(field, in: header, &fields, &selector)
        }
        var changed: String?
        if case .headerChanged(let name) = reason {
            changed = name
        } else if reason != .valid, hash != nil {
            // Under another configuration the key may count, and then this is asked for.
            changed = CopiedFields.firstChanged(field, in: header, &selector)
        }
        witness.note(
            MessageWitness.Statement(
                position: field.position, bodyHash: body.digest.hash, bodyLength: bodyLength,
                headerHash: hash?.octets ?? [], fieldWithNUL: hash?.fieldWithNUL,
                changedField: changed))
    }

    /// The hash of the header fields: of the message, or the one that is recalled.
    private mutating func headerHash(_ field: SignatureField) -> HeaderHash {
        guard let witness, witness.isRecalling else {
            return HeaderHash(field, in: header, &fields, &selector)
        }
        let statement = witness.statement(of: field.position)
        if statement?.headerHash.isEmpty != false { witness.miss(field.position) }
        return HeaderHash(
            octets: statement?.headerHash ?? [], fieldWithNUL: statement?.fieldWithNUL)
    }

    /// The steps of sections 6.1.2 and 6.1.3 for one key record, in their order.
    private mutating func verify(
        _ field: SignatureField, _ body: BodyHasher.Ticket, with record: KeyRecord,
        bodyLength: UInt64, _ known: inout HeaderHash?
    ) -> DKIMReason {
        if let objection = record.objection(to: field.algorithm, options.minimumKeyBits) {
            return objection
        }
        guard !record.forbidsSubdomains || field.identityDomain == field.domain else {
            return .identityInSubdomain
        }
        if let length = field.bodyLength, length > bodyLength { return .bodyTooShort }
        guard body.digest.hash == field.bodyHash else { return .bodyChanged }
        let hash = known ?? headerHash(field)
        known = hash
        guard record.key.verify(field.signature.span, of: hash.octets.span) else {
            return .headerChanged(field: nil)
        }
        if let name = hash.fieldWithNUL { return .nulInField(name) }
        if let length = field.bodyLength, length < bodyLength {
            return .unsignedBody(octets: bodyLength &- length)
        }
        if let name = options.mustBeSigned.first(where: {
            signedCount(field, $0) < header.count(named: $0)
        }) {
            return .unsignedField(name.text)
        }
        for name in options.singletonFields where hasUnsignedDuplicate(field, name) {
            return .unsignedDuplicate(name.text)
        }
        return .valid
    }

    /// How many times `h=` has a name.
    private func signedCount(_ field: SignatureField, _ name: FieldName) -> Int {
        field.names.count { header.bytes[$0].equalsIgnoringASCIICase(name.lowercased) }
    }

    /// Whether a signature covers some of the fields of a name and not all, and one that it does not cover
    /// says something else: nobody knows who added that, and most mail readers show the topmost
    /// (RFC 6376, sections 5.4.2 and 8.15).
    ///
    /// One that says the same shows nothing else; programs on the way add a second MIME-Version so.
    private mutating func hasUnsignedDuplicate(_ field: SignatureField, _ name: FieldName) -> Bool {
        let count = header.count(named: name)
        guard count > 1 else { return false }
        let signed = signedCount(field, name)
        guard (1..<count).contains(signed) else { return false }
        // Signatures take fields from the lowest up.
        let positions = header.indices(named: name)
        let highest = positions[count - signed]
        return positions.prefix(count - signed).contains { !fields.areSame($0, highest) }
    }

    /// What a signature that does not fit tells about itself: an RSA signature shows whether it was
    /// made with the key at all.
    private mutating func failureReason(_ field: SignatureField, _ key: PublicKey) -> DKIMReason {
        if field.algorithm == .rsaSHA256, !key.couldHaveSigned(field.signature.span) {
            return .otherKey
        }
        if let witness, witness.isRecalling {
            return .headerChanged(field: witness.statement(of: field.position)?.changedField)
        }
        return .headerChanged(field: CopiedFields.firstChanged(field, in: header, &selector))
    }
}
