import MailAuth
import MailDNS
import MailSyntax
import Milter
import MilterDaemon
import Threads

/// The verification of one message: the engine, and the keys that are on their way.
struct VerificationTask: ~Copyable {
    private var verifier: DKIMVerifier
    private let lookups: [(question: DNSQuestion, answer: PendingAnswer)]
    private let authors: [DomainName]

    /// Begins, and asks for all keys at once: by the end of the body the answers are there.
    init(
        header: HeaderSection, authors: [DomainName], configuration: DKIMConfiguration,
        services: Services
    ) {
        self.authors = authors
        verifier = DKIMVerifier(
            header: header, authorDomains: authors, now: services.now,
            options: configuration.verifier)
        let deadline = MonotonicTime.now() + configuration.dnsTimeout
        lookups = verifier.questions.map { question in
            (question, services.resolver.begin(question, deadline: deadline))
        }
    }

    /// Takes a piece of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        verifier.update(chunk)
    }

    /// Waits for the keys, judges, and answers with the results field and the action.
    consuming func finish(_ context: MessageContext, keys: ParsedKeyCache) -> MilterVerdict {
        for (question, pending) in lookups {
            verifier.answer(question, pending.wait())
        }
        let authors = authors
        let outcome = verifier.finish(keys: keys)
        return VerificationOutcome(outcome, authors: authors, context).verdict()
    }

    /// Gives up: nobody waits for the answers any more.
    consuming func abandon() {
        for lookup in lookups { lookup.answer.cancel() }
    }
}
