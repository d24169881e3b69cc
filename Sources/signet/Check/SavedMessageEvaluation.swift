import DaemonKit
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Threads

/// Evaluates saved messages as the daemons do.
struct SavedMessageEvaluation {
    private let tools: EvaluationTools
    private let resolver: any DNSResolver

    /// Prepares to evaluate.
    ///
    /// - Parameters:
    ///   - resolver: answers the questions.
    ///   - now: when the message was received, in seconds since 1970.
    init(resolver: any DNSResolver, now: Int64) {
        self.resolver = resolver
        tools = EvaluationTools(
            resolver: resolver, time: TimeSource(now: { .now() }, seconds: { now }))
    }

    /// Evaluates one message: SPF where the client is known, and DKIM, ARC and DMARC in any case.
    ///
    /// Without a client DMARC rests on DKIM alone.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - client: what is known of the envelope; nil when nothing is.
    /// - Returns: the results.
    /// - Throws: where a method was not evaluated.
    func evaluate(_ message: MessageFile, from client: EnvelopeFacts?) throws -> MessageReport {
        let envelope = client.map { Envelope($0.request) } ?? Envelope()
        var evaluation = MessageEvaluation(
            header: message.header, author: AuthorField(of: message.header), envelope: envelope,
            options: Self.options, tools: tools)
        evaluation.update(message.body.span)
        let found = evaluation.finish(by: .distantFuture)
        guard let dkim = found.dkim, let arc = found.arc, let dmarc = found.dmarc else {
            throw CommandFailure(.software, "cannot be evaluated")
        }
        let requirements = SenderRequirements(
            header: message.header, resolver: resolver, identifiers: found.identifiers)
        return MessageReport(
            spf: found.spf, dkim: dkim, arc: arc, dmarc: dmarc, client: client?.address,
            additions: Self.additions(to: message, dkim),
            conditions: conditions(message, dkim),
            requirements: requirements.examine(
                dkim: dkim, dmarc: dmarc, client: client?.address))
    }

    /// For signatures whose body was added to, by the places of their fields: the first line that was added.
    private static func additions(to message: MessageFile, _ dkim: DKIMOutcome) -> [Int: Int] {
        var lines: [Int: Int] = [:]
        var additions = BodyAdditions(to: message.body)
        for result in dkim.results where result.reason == .bodyChanged {
            lines[result.fieldPosition] = additions.firstLine(
                signature: message.header.value(of: result.fieldPosition))
        }
        return lines
    }

    /// The most of header sections that is hashed for trials of one message, in octets; the body is hashed once.
    private static let mostTried = 64 << 20
    /// The most signatures for which changes are tried.
    private static let mostSignaturesTried = 4

    /// For signatures whose header fields are not those that were signed: what would have to be otherwise.
    private func conditions(_ message: MessageFile, _ dkim: DKIMOutcome) -> [Int: String] {
        var found: [Int: String] = [:]
        let failed = dkim.results.filter { result in
            if case .headerChanged = result.reason { true } else { result.reason == .otherKey }
        }
        var rest = Self.mostTried
        let bodies = BodyMemory()
        for result in failed.prefix(Self.mostSignaturesTried) {
            let signature = message.header.value(of: result.fieldPosition)
            let trials = HeaderTrials(message.header, signature: signature)?.all ?? []
            for trial in trials where rest >= 0 {
                rest -= message.header.bytes.count
                let header = trial.applied(to: message.header)
                guard verifies(header, message.body, signature, bodies) else { continue }
                found[result.fieldPosition] = trial.condition
                break
            }
        }
        return found
    }

    /// Whether a signature verifies over another header section.
    ///
    /// The keys are in the resolver's cache.
    private func verifies(
        _ header: HeaderSection, _ body: [UInt8], _ signature: ArraySlice<UInt8>,
        _ bodies: BodyMemory
    ) -> Bool {
        var verifier = DKIMVerifier(
            header: header, authorDomains: AuthorField(of: header).domains,
            now: tools.time.seconds(), bodies: bodies)
        if verifier.needsBody { verifier.update(body.span) }
        let deadline = MonotonicTime.now() + ResolverOptions.timeout
        for question in verifier.questions {
            let answer = resolver.begin(question, deadline: deadline).wait(until: deadline)
            verifier.answer(question, answer)
        }
        return verifier.finish(keys: tools.keys).results.contains {
            $0.status == .pass && header.value(of: $0.fieldPosition) == signature
        }
    }

    /// The most signatures that are verified where they are all that is asked for.
    private static let mostSignatures = 100

    /// Verifies the signatures alone.
    ///
    /// - Throws: where they were not evaluated.
    func verifySignatures(of message: MessageFile) throws -> DKIMOutcome {
        var options = EvaluationOptions(answerSeconds: ResolverOptions.timeout)
        var verifier = DKIMVerifierOptions()
        // A person has asked for all that there are.
        verifier.maximumSignatures = max(
            verifier.maximumSignatures,
            min(message.header.count(named: .dkimSignature), Self.mostSignatures))
        options.dkim = verifier
        var evaluation = MessageEvaluation(
            header: message.header, author: AuthorField(of: message.header), envelope: Envelope(),
            options: options, tools: tools)
        evaluation.update(message.body.span)
        guard let dkim = evaluation.finish(by: .distantFuture).dkim else {
            throw CommandFailure(.software, "cannot be evaluated")
        }
        return dkim
    }

    /// All methods, with the time that a person waits.
    private static var options: EvaluationOptions {
        var options = EvaluationOptions(answerSeconds: ResolverOptions.timeout)
        options.spf = SPFLimits()
        options.wantsExplanation = true
        options.dkim = DKIMVerifierOptions()
        options.arc = ARCOptions()
        options.dmarc = DMARCOptions()
        return options
    }
}

extension EnvelopeFacts {
    /// The SPF check of the sender.
    fileprivate var request: SPFRequest {
        .mailFrom(Array(sender.utf8), helo: Array(helo.utf8), client: address)
    }
}
