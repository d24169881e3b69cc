import MailAuth
import MailDNS
import MailSyntax
import Threads

/// Evaluates saved messages with the engines that the daemons use.
struct MessageEvaluation {
    /// Answers the questions.
    let resolver: any DNSResolver
    /// When the message was received, in seconds since 1970.
    let now: Int64
    /// What is known of the envelope; nil when nothing is.
    let client: EnvelopeFacts?
    private let keys = ParsedKeyCache()

    /// Prepares to evaluate.
    init(resolver: any DNSResolver, now: Int64, client: EnvelopeFacts?) {
        self.resolver = resolver
        self.now = now
        self.client = client
    }

    /// Evaluates one message: SPF where the client is known, and DKIM, ARC and DMARC in any case.
    ///
    /// Without a client DMARC rests on DKIM alone.
    func evaluate(_ message: MessageFile) -> MessageReport {
        let author = AuthorField(of: message.header)
        var verifier = DKIMVerifier(
            header: message.header, authorDomains: author.domains, now: now)
        var chain = ARCValidator(header: message.header, now: now)
        var policy = DMARCEvaluator(author: author)

        let questions = Set(verifier.questions + chain.questions + policy.questions)
        let lookups = questions.map { ($0, resolver.begin($0, deadline: deadline)) }
        let spf = client.map(spf)
        verifier.update(message.body.span)
        chain.update(message.body.span)
        for (question, pending) in lookups {
            let answer = pending.wait()
            verifier.answer(question, answer)
            chain.answer(question, answer)
            policy.answer(question, answer)
        }

        let dkim = verifier.finish(keys: keys)
        policy.identify(
            [spf.flatMap { DMARCIdentifier($0) }].compactMap(\.self)
                + dkim.results.compactMap { DMARCIdentifier($0) })
        policy.resolve(with: resolver, deadline: deadline)
        return MessageReport(
            spf: spf, dkim: dkim, arc: chain.finish(keys: keys), dmarc: policy.finish(),
            client: client?.address)
    }

    private var deadline: MonotonicTime { MonotonicTime.now() + ResolverOptions.timeout }

    private func spf(_ client: EnvelopeFacts) -> SPFOutcome {
        SPFEvaluator(resolver: resolver).check(
            .mailFrom(
                Array(client.sender.utf8), helo: Array(client.helo.utf8), client: client.address))
    }
}
