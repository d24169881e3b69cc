public import MailDNS
public import MailSyntax

/// Verifies the signatures of one message (RFC 6376, section 6).
///
/// Made at the end of the header section, when it says which keys it needs; told the DNS answers at
/// any time, fed the body, and finished. Pure: it has no socket and no clock.
///
/// Trust: any message, any DNS answer. Work is bounded by the number of signatures, the header
/// section's limits and the length of the body.
public struct DKIMVerifier: ~Copyable {
    /// The most DKIM-Signature fields that are read, to choose from them those to verify.
    private static let maximumRead = 128

    /// The TXT questions whose answers are needed, each once.
    public private(set) var questions: [DNSQuestion] = []

    private let header: HeaderSection
    private let options: DKIMVerifierOptions
    private let now: Int64
    private let truncatedFields: Set<Int>
    private let ignored: Int
    private let witness: MessageWitness?
    private let bodies: BodyMemory?
    private var candidates: [Candidate] = []
    private var answers: [DNSAnswer?] = []
    private var body = BodyHasher()

    /// A signature under examination.
    struct Candidate {
        let position: Int
        let claims: SignatureClaims
        /// What the signature says, and where its answers will be; or why no more is needed.
        let state: Result<Pending, Settled>
    }

    struct Pending {
        let field: SignatureField
        /// Which question asks for the key.
        let question: Int
        let body: BodyHasher.Ticket
    }

    private struct Reading {
        let claims: SignatureClaims
        let field: Result<SignatureField, Settled>
    }

    struct Settled: Error {
        let reason: DKIMReason
    }

    /// Begins to verify.
    ///
    /// - Parameters:
    ///   - header: the whole header section.
    ///   - authorDomains: the domains of the From field, whose signatures are verified first.
    ///   - now: seconds since 1970: when the message was received.
    ///   - truncatedFields: the fields that are known to have been cut at a NUL octet on the way
    ///     here: no signature that covers one passes.
    ///   - options: the administrator's decisions.
    ///   - witness: notes what signatures cover, or tells it in place of the message.
    ///   - bodies: the hashes of the same body that are known, to which those that come are added.
    public init(
        header: HeaderSection, authorDomains: [DomainName] = [], now: Int64,
        truncatedFields: Set<Int> = [], options: DKIMVerifierOptions = DKIMVerifierOptions(),
        witness: MessageWitness? = nil, bodies: BodyMemory? = nil
    ) {
        self.witness = witness
        self.bodies = bodies
        self.header = header
        self.options = options
        self.now = now
        self.truncatedFields = truncatedFields
        let total = header.count(named: .dkimSignature)
        let positions = header.indices(named: .dkimSignature).prefix(Self.maximumRead)
        let read = positions.map { Self.read(header, $0) }
        let chosen = Self.choose(read, authorDomains, atMost: options.maximumSignatures)
        ignored = total - chosen.count
        let obstacle = Self.obstacle(header)
        for index in chosen {
            let state: Result<Pending, Settled>
            switch read[index].field {
            case .failure(let settled):
                state = .failure(settled)
            case .success(let field):
                if let reason = obstacle ?? field.timeObstacle(now: now, drift: options.clockDrift)
                {
                    state = .failure(Settled(reason: reason))
                } else {
                    state = .success(begin(field))
                }
            }
            candidates.append(
                Candidate(
                    position: positions[index], claims: read[index].claims, state: state))
        }
    }

    /// Tells the answer to a question; the first answer counts.
    public mutating func answer(_ question: DNSQuestion, _ answer: DNSAnswer) {
        for index in questions.indices
        where questions[index] == question && answers[index] == nil {
            answers[index] = answer
        }
    }

    /// Whether the body is needed: without it there is nothing left to find out.
    public var needsBody: Bool { !body.isIdle }

    /// Takes the next chunk of the body.
    public mutating func update(_ chunk: Span<UInt8>) {
        body.update(chunk)
    }

    /// Ends the body, and judges.
    ///
    /// A question without an answer counts as one that timed out.
    ///
    /// - Parameter keys: the process's memory of parsed keys.
    /// - Returns: a result for each signature that was verified.
    public consuming func finish(keys: ParsedKeyCache) -> DKIMOutcome {
        body.finish()
        var judge = SignatureJudge(
            header: header, truncatedFields: truncatedFields, options: options, keys: keys,
            witness: witness)
        var results: [DKIMResult] = []
        for candidate in candidates {
            switch candidate.state {
            case .failure(let settled):
                results.append(DKIMResult(candidate, settled.reason))
            case .success(let pending):
                let length = body.length(pending.body)
                bodies?.keep(pending.body, length: length)
                let trial = judge.judge(
                    pending.field, pending.body, answer: answers[pending.question],
                    bodyLength: length)
                results.append(DKIMResult(candidate, trial))
            }
        }
        DKIMResult.shortenPrefixes(&results)
        return DKIMOutcome(results: results, ignoredSignatures: ignored)
    }

    /// Reads a signature; what it claims is known even where it is not in order.
    private static func read(_ header: HeaderSection, _ position: Int) -> Reading {
        var parser = SignatureFieldParser(header, position)
        do throws(SignatureFieldError) {
            let field = try parser.parse()
            return Reading(claims: parser.claims, field: .success(field))
        } catch {
            return Reading(
                claims: parser.claims, field: .failure(Settled(reason: .signatureField(error))))
        }
    }

    /// Which signatures are verified, from the top: those in order of the author's domains come
    /// first, then others in order, then the rest, until there are enough.
    private static func choose(
        _ read: [Reading], _ authorDomains: [DomainName], atMost limit: Int
    ) -> [Int] {
        guard read.count > limit else { return Array(read.indices) }
        let ranks = read.map { reading in
            guard case .success(let field) = reading.field else { return 2 }
            let isAligned = authorDomains.contains {
                $0.isEqualOrSubdomain(of: field.domain) || field.domain.isSubdomain(of: $0)
            }
            return isAligned ? 0 : 1
        }
        let ordered = (0...2).flatMap { rank in ranks.indices.filter { ranks[$0] == rank } }
        return ordered.prefix(max(0, limit)).sorted()
    }

    /// What keeps any signature of the message from being valid.
    private static func obstacle(_ header: HeaderSection) -> DKIMReason? {
        if header.limitExceeded != nil { return .headerTooLarge }
        // RFC 5322, section 3.6: exactly one. A reader that shows another than the signed one would
        // lend the signature's good name to it (RFC 6376, section 8.15).
        let count = header.count(named: .from)
        return count == 1 ? nil : .fromFields(count)
    }

    /// Notes what a signature needs: the answer to a question, and a hash of the body.
    private mutating func begin(_ field: SignatureField) -> Pending {
        let question = DNSQuestion(field.keyName, .txt)
        let index = questions.firstIndex(of: question) ?? questions.count
        if index == questions.count {
            questions.append(question)
            answers.append(nil)
        }
        return Pending(
            field: field, question: index,
            body: witness?.recalledBody(of: field) ?? bodies?.ticket(for: field)
                ?? body.request(field.canonicalization.body, limit: field.bodyLength))
    }
}

extension DKIMResult {
    init(_ candidate: DKIMVerifier.Candidate, _ reason: DKIMReason) {
        self.reason = reason
        domain = candidate.claims.domain
        selector = candidate.claims.selector
        identity = candidate.claims.identity
        algorithm = candidate.claims.algorithm
        signaturePrefix = candidate.claims.signatureText
        fieldPosition = candidate.position
    }

    init(_ candidate: DKIMVerifier.Candidate, _ trial: KeyTrial) {
        self.init(candidate, trial.reason)
        keyBits = trial.keyBits
        isKeySecure = trial.isKeySecure
        isTesting = trial.isTesting
    }
}
