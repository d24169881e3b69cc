import MailAuth
import MailDNS
import MailSyntax

/// What the envelope of a saved message was.
struct EnvelopeFacts {
    /// The SMTP client's address.
    let address: IPAddress
    /// The name that it said in HELO.
    let helo: String
    /// The reverse-path, with or without angle brackets.
    let sender: String
}

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

    /// Evaluates one message.
    func evaluate(_ message: MessageFile) -> MessageReport {
        MessageReport(dkim: dkim(message), spf: client.map(spf))
    }

    private func dkim(_ message: MessageFile) -> DKIMOutcome {
        var verifier = DKIMVerifier(
            header: message.header, authorDomains: AuthorField(of: message.header).domains,
            now: now)
        let deadline = MonotonicTime.now() + ResolverOptions.timeout
        let lookups = verifier.questions.map { ($0, resolver.begin($0, deadline: deadline)) }
        verifier.update(message.body.span)
        for (question, pending) in lookups { verifier.answer(question, pending.wait()) }
        return verifier.finish(keys: keys)
    }

    private func spf(_ client: EnvelopeFacts) -> SPFOutcome {
        SPFEvaluator(resolver: resolver).check(
            .mailFrom(
                Array(client.sender.utf8), helo: Array(client.helo.utf8), client: client.address))
    }
}
