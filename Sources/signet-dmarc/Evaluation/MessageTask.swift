import DaemonResolver
import MailAuth
import MailDNS
import MailSyntax
import Threads

/// The evaluation of one message, from the end of its header section to its end.
///
/// All questions that can be known are asked when the header section has ended, each once; while the body comes, the answers do.
struct MessageTask: ~Copyable {
    private let envelope: Envelope
    private let trusted: TrustedResults
    private let policy: TrustedResults.Policy
    private let early: EarlyQuestions
    /// The keys of signatures and seals.
    private let keys: [(question: DNSQuestion, answer: PendingAnswer)]
    /// The policy records of the author domains and of the domains above them.
    private let records: [DNSQuestion: PendingAnswer]
    private var verifier: DKIMVerifier?
    private var chain: ARCValidator
    private var dmarc: DMARCEvaluator
    private let services: Services
    private let timeout: Double

    /// Begins.
    ///
    /// - Parameters:
    ///   - header: the header section.
    ///   - author: what its From field says.
    ///   - envelope: what SMTP told.
    ///   - early: the questions that are under way since then.
    ///   - configuration: how to evaluate.
    ///   - services: the resolver, the keys, the clock.
    init(
        header: HeaderSection, author: AuthorField, envelope: Envelope, early: EarlyQuestions,
        configuration: DMARCConfiguration, services: Services
    ) {
        self.envelope = envelope
        self.early = early
        self.services = services
        policy = configuration.trusted
        trusted = TrustedResults(in: header, configuration.trusted, envelope.spfRequest)
        timeout = configuration.resolver.timeout
        verifier =
            configuration.trusted.evaluatesDKIM
            ? DKIMVerifier(
                header: header, authorDomains: author.domains, now: services.now,
                options: configuration.dkim) : nil
        chain = ARCValidator(header: header, now: services.now, options: configuration.arc)
        dmarc = DMARCEvaluator(
            author: author, options: configuration.dmarc, records: services.dmarcRecords)
        let deadline = MonotonicTime.now() + timeout
        var keys: [(question: DNSQuestion, answer: PendingAnswer)] = []
        for question in (verifier?.questions ?? []) + chain.questions
        where !keys.contains(where: { $0.question == question }) {
            keys.append((question, services.resolver.begin(question, deadline: deadline)))
        }
        self.keys = keys
        records = dmarc.begin(with: services.resolver, deadline: deadline)
    }

    /// Takes a piece of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        verifier?.update(chunk)
        if chain.needsBody { chain.update(chunk) }
    }

    /// Waits for what the DNS still owes, and judges.
    ///
    /// SPF, the keys, DMARC and the client's name have a share of time each: an answer that a sender withholds from one takes
    /// none from another.
    consuming func finish() -> Findings {
        let outcome = spfOutcome()
        for (question, pending) in keys {
            let answer = pending.wait()
            verifier?.answer(question, answer)
            chain.answer(question, answer)
        }
        let signatures = verifier.take()?.finish(keys: services.publicKeys).results
        let identifiers =
            spfIdentifiers(outcome)
            + (signatures?.compactMap { DMARCIdentifier($0) } ?? trusted.dkimIdentifiers)
        dmarc.identify(identifiers)
        dmarc.resolve(
            with: services.resolver, deadline: MonotonicTime.now() + timeout, begun: records)
        let dkim = signatures?.map { MethodResult.dkim($0) } ?? trusted.dkim
        return Findings(
            spf: spfResult(outcome), spfDomain: envelope.spfRequest?.domain,
            dkim: dkim.isEmpty ? [.dkim("none")] : dkim, identifiers: identifiers,
            arc: chain.finish(keys: services.publicKeys), dmarc: dmarc.finish(),
            reverse: early.reverse?.finish(deadline: MonotonicTime.now() + timeout))
    }

    /// Gives up: nobody waits for the answers any more.
    consuming func abandon() {
        for key in keys { key.answer.cancel() }
        for record in records.values { record.cancel() }
        early.cancel()
    }

    /// Checks SPF; nil where that is not for us to do, or there is nothing to check.
    private func spfOutcome() -> SPFOutcome? {
        guard policy.evaluatesSPF, let request = envelope.spfRequest else { return nil }
        let limits = SPFLimits(questionSeconds: timeout)
        let evaluator = SPFEvaluator(
            resolver: services.resolver, limits: limits, wantsExplanation: false,
            records: services.spfRecords)
        return evaluator.check(request, prefetched: early.spf)
    }

    private func spfIdentifiers(_ outcome: SPFOutcome?) -> [DMARCIdentifier] {
        let identifier =
            policy.evaluatesSPF
            ? outcome.flatMap { DMARCIdentifier($0) }
            : trusted.spfIdentifier(envelope.spfRequest)
        return identifier.map { [$0] } ?? []
    }

    private func spfResult(_ outcome: SPFOutcome?) -> MethodResult {
        if let outcome { return .spf(outcome) }
        if let reported = trusted.spf { return reported }
        let reason = policy.evaluatesSPF ? "no sender domain to check" : "not evaluated here"
        return .spf("none", comment: reason)
    }
}

extension SPFLimits {
    /// The limits for a milter that may wait so many seconds for one answer.
    ///
    /// "MTAs or other processors SHOULD impose a limit on the maximum amount of elapsed time to evaluate check_host(). Such a
    /// limit SHOULD allow at least 20 seconds" (RFC 7208, section 4.6.4). Postfix waits 300 seconds for the reply at end of
    /// message (milter_content_timeout).
    fileprivate init(questionSeconds timeout: Double) {
        self.init()
        seconds = min(max(20, 3 * timeout), 120)
        questionSeconds = min(timeout, seconds / 3)
    }
}

/// The questions that are asked as soon as SMTP has told who sends.
struct EarlyQuestions: Sendable {
    /// The SPF record.
    var spf = SPFPrefetch()
    /// The client's name; nil where nobody wants to know.
    var reverse: ReverseLookup?

    /// None.
    init() {}

    /// Asks.
    init(_ envelope: Envelope, _ configuration: DMARCConfiguration, _ resolver: any DNSResolver) {
        if configuration.trusted.evaluatesSPF, let request = envelope.spfRequest {
            let limits = SPFLimits(questionSeconds: configuration.resolver.timeout)
            spf = SPFEvaluator(resolver: resolver, limits: limits).prefetch([request])
        }
        if configuration.looksUpClient, let address = envelope.address {
            reverse = ReverseLookup(
                of: address, resolver: resolver,
                deadline: MonotonicTime.now() + configuration.resolver.timeout)
        }
    }

    /// Gives up.
    func cancel() {
        spf.cancel()
        reverse?.cancel()
    }
}
