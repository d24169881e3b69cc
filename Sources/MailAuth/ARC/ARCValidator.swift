internal import MailCrypto
public import MailDNS
public import MailSyntax

/// What the administrator decides about chains.
public struct ARCOptions: Sendable {
    /// The most sets that are validated, up to 50.
    ///
    /// Each may cost two look-ups and two public-key operations (RFC 8617, section 9.2).
    public var maximumSets = 50
    /// Whether to find the oldest message signature that is still valid.
    public var findsOldestPass = true
    /// The least size of RSA keys, in bits; never below the 1024 of RFC 8301, section 3.2.
    public var minimumKeyBits = 1024
    /// How far clocks may differ, in seconds.
    public var clockDrift: Int64 = 300
    /// Fields that a message has once at most: see `DKIMVerifierOptions.singletonFields`.
    public var singletonFields = DKIMVerifierOptions.standardSingletonFields

    /// Creates the defaults.
    public init() {}
}

/// Validates the Authenticated Received Chain of one message (RFC 8617, section 5.2).
///
/// Made at the end of the header section, when it says which keys it needs first; told the DNS
/// answers, fed the body, asked for the keys that it needs next until there are none, and finished.
/// Pure: it has no socket and no clock.
///
/// Keys are asked for in the order in which they are used, and only as far as they can still
/// matter: those of the newest signature and seal; once that signature is valid, those of the other
/// seals; once the seals are, those of the older signatures whose body hash is right. So a chain
/// that somebody made up costs two questions, however long it is.
///
/// Trust: any message, any DNS answer. There are at most 50 sets and two key look-ups for each; the
/// body is hashed once for each canonicalization, however many `l=` tags there are.
public struct ARCValidator: ~Copyable {
    /// The TXT questions so far whose answers are needed, each once.
    public private(set) var questions: [DNSQuestion] = []

    private let header: HeaderSection
    private let options: ARCOptions
    private let truncatedFields: Set<Int>
    private var state: Result<Links, ARCChain.Broken>
    private var hops: [ARCHop] = []
    private var answers: [DNSQuestion: DNSAnswer] = [:]
    private var body = BodyHasher()
    private var stage = Stage.body
    private var oldestPass: Int?
    private let witness: MessageWitness?

    /// How far the validation has come.
    private enum Stage {
        /// The body is coming.
        case body
        /// The newest message signature is verified next (section 5.2, step 4).
        case newestSignature
        /// The seals are (step 6).
        case seals
        /// The older message signatures are (step 5, "optionally").
        case olderSignatures
        /// Everything is known.
        case complete
    }

    /// A chain whose structure is valid.
    private struct Links {
        var sets: [ARCChain.Fields] = []
        var seals: [ARCSealField] = []
        /// The message signatures to be verified, newest first, or what is wrong with them.
        var signatures: [Result<Signature, ARCChain.Broken>] = []
    }

    private struct Signature {
        let field: SignatureField
        let body: BodyHasher.Ticket
    }

    /// Begins to validate.
    ///
    /// - Parameters:
    ///   - header: the whole header section.
    ///   - now: seconds since 1970: when the message was received.
    ///   - truncatedFields: the fields that are known to have been cut at a NUL octet on the way
    ///     here: no chain that covers one passes.
    ///   - options: the administrator's decisions.
    ///   - witness: notes what signatures cover, or tells it in place of the message.
    public init(
        header: HeaderSection, now: Int64, truncatedFields: Set<Int> = [],
        options: ARCOptions = ARCOptions(), witness: MessageWitness? = nil
    ) {
        self.witness = witness
        self.header = header
        self.truncatedFields = truncatedFields
        self.options = options
        state = .failure(ARCChain.Broken(.noChain))
        do throws(ARCChain.Broken) {
            state = .success(try begin(now))
        } catch {
            state = .failure(error)
        }
    }

    /// Tells the answer to a question; the first answer counts.
    public mutating func answer(_ question: DNSQuestion, _ answer: DNSAnswer) {
        if answers[question] == nil { answers[question] = answer }
    }

    /// Whether the body is needed: without it there is nothing left to find out.
    public var needsBody: Bool { !body.isIdle }

    /// Takes the next chunk of the body.
    public mutating func update(_ chunk: Span<UInt8>) {
        body.update(chunk)
    }

    /// Ends the body, and goes on as far as the answers allow.
    ///
    /// A question without an answer counts as one that timed out.
    ///
    /// - Parameter keys: the process's memory of parsed keys.
    /// - Returns: the questions that the next step needs, none of them asked before; none where
    ///   there is nothing left to find out.
    public mutating func advance(keys: ParsedKeyCache) -> [DNSQuestion] {
        if stage == .body {
            body.finish()
            stage = .newestSignature
        }
        while stage != .complete, case .success(let links) = state {
            let asked = questions.count
            do throws(ARCChain.Broken) {
                try step(links, keys)
            } catch {
                state = .failure(error)
            }
            if questions.count > asked { return Array(questions[asked...]) }
        }
        return []
    }

    /// Ends the body, and judges.
    ///
    /// A question without an answer counts as one that timed out.
    ///
    /// - Parameter keys: the process's memory of parsed keys.
    /// - Returns: the status of the chain, and its sealers.
    public consuming func finish(keys: ParsedKeyCache) -> ARCOutcome {
        while !advance(keys: keys).isEmpty {}
        switch state {
        case .failure(let broken):
            return ARCOutcome(reason: broken.reason, oldestPass: nil, hops: hops)
        case .success(let links):
            for index in hops.indices { hops[index].assessment = assessment(links.sets[index]) }
            return ARCOutcome(reason: .valid, oldestPass: oldestPass, hops: hops)
        }
    }

    /// Takes the next step of section 5.2, and asks for the keys of the one after it.
    private mutating func step(_ links: Links, _ keys: ParsedKeyCache) throws(ARCChain.Broken) {
        switch stage {
        case .body, .complete: break
        case .newestSignature:
            try verifyNewestSignature(links, keys)
            stage = .seals
            for seal in links.seals.reversed() { ask(seal.keyName) }
        case .seals:
            try verifySeals(links, keys)
            stage = options.findsOldestPass ? .olderSignatures : .complete
            if options.findsOldestPass { askForOlderKeys(links) }
        case .olderSignatures:
            oldestPass = oldestValidSignature(links, keys)
            stage = .complete
        }
    }
}

/// What can be found out before the body comes: steps 1 to 3.
extension ARCValidator {
    private mutating func begin(_ now: Int64) throws(ARCChain.Broken) -> Links {
        guard header.limitExceeded == nil else { throw ARCChain.Broken(.headerTooLarge) }
        var links = Links()
        links.sets = try ARCChain(
            header, truncated: truncatedFields, limit: options.maximumSets
        ).sets
        guard let newest = links.sets.last else { throw ARCChain.Broken(.noChain) }
        links.seals = try readSeals(links.sets)
        // An older message signature tells how far back the message is unchanged, and no more.
        let verified = options.findsOldestPass ? links.sets.reversed() : [newest]
        for set in verified {
            links.signatures.append(readSignature(set, now))
        }
        if case .failure(let broken)? = links.signatures.first { throw broken }
        // Nobody's servers are asked for a chain that fails anyway, so the structure comes first.
        if case .success(let newest)? = links.signatures.first { ask(newest.field.keyName) }
        if let seal = links.seals.last { ask(seal.keyName) }
        return links
    }

    private mutating func readSeals(
        _ sets: [ARCChain.Fields]
    ) throws(ARCChain.Broken) -> [ARCSealField] {
        var found: [Result<ARCSealField, SignatureFieldError>] = []
        for set in sets {
            var parser = SignatureFieldParser(header, set.seal, .arcSeal)
            var seal: ARCSealField?
            do throws(SignatureFieldError) {
                let field = try parser.parseSeal()
                seal = field
                found.append(.success(field))
            } catch {
                found.append(.failure(error))
            }
            hops.append(
                ARCHop(
                    instance: set.instance, domain: parser.claims.domain,
                    selector: parser.claims.selector, chainStatus: seal?.chainStatus))
        }
        // Step 2: "If the Chain Validation Status of the highest instance value ARC Set is "fail"".
        if let newest = hops.last, newest.chainStatus == .fail {
            throw ARCChain.Broken(.foundInvalid(instance: newest.instance))
        }
        var seals: [ARCSealField] = []
        for (set, seal) in zip(sets, found) {
            seals.append(try check(seal, set.instance))
        }
        return seals
    }

    /// Step 3, C: "For ARC Sets with instance values > 1, the values MUST be "pass". For the ARC
    /// Set with instance value = 1, the value MUST be "none"."
    private func check(
        _ seal: Result<ARCSealField, SignatureFieldError>, _ instance: Int
    ) throws(ARCChain.Broken) -> ARCSealField {
        switch seal {
        case .failure(let error):
            throw ARCChain.Broken(.signature(.seal, instance: instance, .signatureField(error)))
        case .success(let field):
            guard !field.hasFieldList else {
                throw ARCChain.Broken(.sealWithFieldList(instance: instance))
            }
            guard field.chainStatus == (instance == 1 ? .none : .pass) else {
                throw ARCChain.Broken(.chainStatus(instance: instance))
            }
            return field
        }
    }

    private mutating func readSignature(
        _ set: ARCChain.Fields, _ now: Int64
    ) -> Result<Signature, ARCChain.Broken> {
        func broken(_ reason: DKIMReason) -> Result<Signature, ARCChain.Broken> {
            .failure(
                ARCChain.Broken(
                    .signature(.messageSignature, instance: set.instance, reason)))
        }
        var parser = SignatureFieldParser(header, set.messageSignature, .arcMessageSignature)
        let field: SignatureField
        do throws(SignatureFieldError) {
            field = try parser.parse()
        } catch {
            return broken(.signatureField(error))
        }
        // Section 4.1.2: ARC's fields "MUST NOT be included in the list of header fields covered".
        // What sealers do so with the other two is let pass: there is no harm in it, and early ones
        // did.
        guard !field.names.contains(where: { isSeal(header.bytes[$0]) }) else {
            return .failure(ARCChain.Broken(.signatureOfSeal(instance: set.instance)))
        }
        if let reason = field.timeObstacle(now: now, drift: options.clockDrift) {
            return broken(reason)
        }
        let ticket =
            witness?.recalledBody(of: field)
            ?? body.request(field.canonicalization.body, limit: field.bodyLength)
        return .success(Signature(field: field, body: ticket))
    }

    private func isSeal(_ name: ArraySlice<UInt8>) -> Bool {
        name.equalsIgnoringASCIICase(ARCField.seal.rawValue.utf8)
    }

    /// Asks for the keys of older message signatures, newest first, up to one that fails whatever
    /// its key is.
    private mutating func askForOlderKeys(_ links: Links) {
        for case .success(let older) in links.signatures.dropFirst() {
            guard older.body.digest.hash == older.field.bodyHash else { return }
            ask(older.field.keyName)
        }
    }

    private mutating func ask(_ keyName: DomainName) {
        let question = DNSQuestion(keyName, .txt)
        if !questions.contains(question) { questions.append(question) }
    }
}

/// What takes the keys and the body: steps 4 to 6.
extension ARCValidator {
    /// Step 4: the newest message signature decides about the chain.
    private func verifyNewestSignature(
        _ links: Links, _ keys: ParsedKeyCache
    ) throws(ARCChain.Broken) {
        guard let newest = links.signatures.first else { return }
        let signature = try newest.get()
        var judge = judge(keys)
        let reason = verify(signature, &judge)
        guard reason == .valid else {
            throw ARCChain.Broken(
                .signature(.messageSignature, instance: links.sets.count, reason))
        }
    }

    /// Step 5: verifies the older message signatures until one fails, which "does not affect the
    /// validity of the Authenticated Received Chain".
    ///
    /// - Returns: the oldest instance that passed, 0 if all did.
    private func oldestValidSignature(_ links: Links, _ keys: ParsedKeyCache) -> Int {
        var judge = judge(keys)
        let older = zip(links.sets.reversed(), links.signatures).dropFirst()
        for (set, signature) in older {
            guard case .success(let signature) = signature, verify(signature, &judge) == .valid
            else { return set.instance + 1 }
        }
        return 0
    }

    private func judge(_ keys: ParsedKeyCache) -> SignatureJudge {
        var judgeOptions = DKIMVerifierOptions()
        judgeOptions.minimumKeyBits = options.minimumKeyBits
        judgeOptions.singletonFields = options.singletonFields
        return SignatureJudge(
            header: header, truncatedFields: truncatedFields, options: judgeOptions, keys: keys,
            witness: witness)
    }

    private func verify(_ signature: Signature, _ judge: inout SignatureJudge) -> DKIMReason {
        judge.judge(
            signature.field, signature.body,
            answer: answers[DNSQuestion(signature.field.keyName, .txt)],
            bodyLength: body.length(signature.body)
        ).reason
    }

    /// Step 6: "Validate each AS beginning with the greatest instance value and proceeding in
    /// decreasing order".
    private func verifySeals(_ links: Links, _ keys: ParsedKeyCache) throws(ARCChain.Broken) {
        let hashes = ARCSealHash.all(links.sets, links.seals, in: header)
        for index in links.seals.indices.reversed() {
            let seal = links.seals[index]
            let hash = hashes[index]
            let answer = answers[DNSQuestion(seal.keyName, .txt)]
            var trial = KeyTrial(answer, to: seal.keyName, keys) { record in
                if let reason = record.objection(to: seal.algorithm, options.minimumKeyBits) {
                    return reason
                }
                let isValid = record.key.verify(seal.signature.span, of: hash.span)
                return isValid ? .valid : .headerChanged(field: nil)
            }
            if trial.reason == .headerChanged(field: nil), seal.algorithm == .rsaSHA256,
                trial.key?.couldHaveSigned(seal.signature.span) == false
            {
                trial.reason = .otherKey
            }
            guard trial.reason == .valid else {
                throw ARCChain.Broken(
                    .signature(.seal, instance: links.sets[index].instance, trial.reason))
            }
        }
    }

    /// "The accuracy or syntax of the authres-payload field does not affect the validity of the ARC
    /// Chain itself" (section 3.4).
    private func assessment(_ set: ARCChain.Fields) -> AuthenticationResults {
        let end = header.fields[set.authenticationResults].value.upperBound
        return AuthenticationResults(
            parsing: header.bytes.span.extracting(set.resultsStart..<end))
    }
}
