internal import MailAuth
internal import MailDNS
package import MailSyntax
package import Threads

/// The evaluation of one message, from the end of its header section to its end.
///
/// The keys of signatures, the first keys of the chain and the policy are asked for when the header
/// section has ended; while the body comes, the answers do. Only `finish` waits, on the caller's
/// thread.
package struct MessageEvaluation: ~Copyable {
    private let envelope: Envelope
    private let early: EnvelopeQuestions
    private let reported: ReportedIdentifiers
    private let options: EvaluationOptions
    private let tools: EvaluationTools
    /// The keys of signatures and seals.
    private let keys: [(question: DNSQuestion, answer: PendingAnswer)]
    private var verifier: DKIMVerifier?
    private var chain: ARCValidator?
    private var dmarc: DMARCDriver?

    /// Begins.
    ///
    /// - Parameters:
    ///   - header: the whole header section.
    ///   - author: what its From field says.
    ///   - envelope: what SMTP told.
    ///   - early: the questions that are under way since then; they are asked now where it is nil.
    ///   - reported: what is taken from others in place of the methods without options.
    ///   - options: what is evaluated, and how.
    ///   - tools: the resolver, the clocks, the memories.
    package init(
        header: HeaderSection, author: AuthorField, envelope: Envelope = Envelope(),
        early: EnvelopeQuestions? = nil,
        reported: ReportedIdentifiers = ReportedIdentifiers(), options: EvaluationOptions,
        tools: EvaluationTools
    ) {
        self.envelope = envelope
        let early = early ?? EnvelopeQuestions(envelope, options, tools)
        self.early = early
        self.reported = reported
        self.options = options
        self.tools = tools
        let received = tools.time.seconds()
        verifier =
            if let options = options.dkim {
                DKIMVerifier(
                    header: header, authorDomains: author.domains, now: received, options: options,
                    witness: tools.witness)
            } else { nil }
        chain =
            if let options = options.arc {
                ARCValidator(
                    header: header, now: received, options: options, witness: tools.witness)
            } else { nil }
        let deadline = tools.time.now() + options.answerSeconds
        var keys: [(question: DNSQuestion, answer: PendingAnswer)] = []
        for question in (verifier?.questions ?? []) + (chain?.questions ?? [])
        where !keys.contains(where: { $0.question == question }) {
            keys.append((question, early.questions.general.begin(question, deadline: deadline)))
        }
        self.keys = keys
        dmarc = options.dmarc.map { options in
            DMARCDriver(
                DMARCEvaluator(author: author, options: options, records: tools.dmarcRecords),
                resolver: early.questions.policies)
        }
        dmarc?.begin(deadline: deadline)
    }

    /// Takes a piece of the body.
    package mutating func update(_ chunk: Span<UInt8>) {
        verifier?.update(chunk)
        if chain?.needsBody == true { chain?.update(chunk) }
    }

    /// Waits for what the DNS still owes, and judges.
    ///
    /// - Parameter deadline: when all waiting has to end, whatever time the options leave.
    /// - Returns: what was found.
    package consuming func finish(by deadline: MonotonicTime) -> MessageFindings {
        let spf = spfOutcome(by: deadline)
        for (question, pending) in keys {
            let answer = pending.wait(until: deadline)
            verifier?.answer(question, answer)
            chain?.answer(question, answer)
        }
        let dkim = verifier.take()?.finish(keys: tools.keys)
        let identifiers = identifiers(spf, dkim)
        let dmarc = dmarc.take()?.finish(identifiers, deadline: nextDeadline(deadline))
        validateChain(by: deadline)
        let arc = chain.take()?.finish(keys: tools.keys)
        let reverse = early.reverse?.finish(deadline: nextDeadline(deadline))
        return MessageFindings(
            spf: spf, dkim: dkim, identifiers: identifiers, arc: arc, dmarc: dmarc,
            reverse: reverse)
    }

    /// Asks for the keys of the chain, as far as they matter.
    private mutating func validateChain(by deadline: MonotonicTime) {
        while let questions = chain?.advance(keys: tools.keys), !questions.isEmpty {
            let limit = nextDeadline(deadline)
            let pending = questions.map {
                ($0, early.questions.general.begin($0, deadline: limit))
            }
            for (question, answer) in pending {
                chain?.answer(question, answer.wait(until: limit))
            }
        }
    }

    /// Gives up: nobody waits for the answers any more.
    package consuming func abandon() {
        for key in keys { key.answer.cancel() }
        dmarc?.cancel()
        early.cancel()
    }

    /// When an answer is given up that is waited for from now on.
    private func nextDeadline(_ deadline: MonotonicTime) -> MonotonicTime {
        min(deadline, tools.time.now() + options.answerSeconds)
    }

    /// Checks SPF; nil where that is not for us to do, or there is nothing to check.
    private func spfOutcome(by deadline: MonotonicTime) -> SPFOutcome? {
        guard let limits = options.spf, let request = envelope.spfRequest else { return nil }
        return tools.spfEvaluator(
            limits, wantsExplanation: options.wantsExplanation, asking: early.questions.general
        ).check(request, prefetched: early.spf, deadline: deadline)
    }

    private func identifiers(_ spf: SPFOutcome?, _ dkim: DKIMOutcome?) -> [DMARCIdentifier] {
        let ofSPF = options.spf == nil ? reported.spf : spf.flatMap { DMARCIdentifier($0) }
        let ofDKIM = dkim?.results.compactMap { DMARCIdentifier($0) } ?? reported.dkim
        return (ofSPF.map { [$0] } ?? []) + ofDKIM
    }
}
