import Configuration
import DaemonKit
import FailureReports
import FlightRecord
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Milter
import MilterDaemon
import Observation
import Threads
import Traffic

/// One connection of the MTA, with any number of messages.
///
/// State lives in two places: what the connection told (`client`, `helo`), and what the message
/// under way told (`message`), which is forgotten at every end: end of message and abort. The
/// configuration is the one that held when the connection began.
final class DMARCSession: MilterSession {
    private let services: DMARCServices
    private let counted: Observer.Session?
    private let configuration: DMARCConfiguration
    private let negotiated: NegotiatedProtocol
    private var client = Client()
    private var helo: [UInt8] = []
    private var message: Message?
    private var abortions = Observer.Abortions()

    /// Begins a connection.
    init(
        services: DMARCServices, configuration: DMARCConfiguration,
        protocol negotiated: NegotiatedProtocol
    ) {
        self.services = services
        counted = services.observer.session()
        self.configuration = configuration
        self.negotiated = negotiated
    }

    /// The message under way: an object of its own, as most connections are idle and have none.
    private final class Message {
        var header: IncomingHeader
        var envelope = Envelope()
        var early: EnvelopeQuestions?
        var recipients = RecipientFacts()
        var skip: Skip?
        /// What the From field says, once the header section has ended.
        var author: AuthorField?
        var task: DMARCTask?
        /// The reverse-path, where a record is kept.
        var sender: [UInt8]?
        /// The recipients, where a record is kept.
        var paths = MailFacts.Recipients()
        /// What was asked of the DNS, where a record is kept.
        var questions: RecordingResolver?
        /// What the signatures cover, where a record is kept.
        var witness: MessageWitness?
        /// When the header section had come, in seconds since 1970, where a record is kept.
        var received: Int64 = 0
        /// The body, where failure reports have it.
        var body: BodyCopy?

        init(_ configuration: DMARCConfiguration) {
            if configuration.failures.isOn && configuration.failures.includesBody {
                body = BodyCopy()
            }
            header = IncomingHeader(maximumOctets: configuration.maximumHeaderOctets)
        }
    }

    /// The message under way, which its first event begins.
    private func currentMessage() -> Message {
        if let message { return message }
        let begun = Message(configuration)
        message = begun
        return begun
    }

    // MARK: The connection

    func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
        self.client = Client(client, macros)
        return .continue
    }

    func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
        // Two come where TLS begins in between: the last one counts.
        helo = name.copied()
        return .continue
    }

    // MARK: The message

    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        abort(macros)
        client.authenticationType = macros["{auth_type}"]
        let message = currentMessage()
        message.skip = Skip(client, configuration.scope)
        message.envelope = Envelope(
            address: client.address, helo: helo,
            reversePath: try? ReversePath(parsing: reversePath))
        if services.observer.isRecording { message.sender = reversePath.copied() }
        if message.skip == nil {
            message.questions = services.observer.recording(services.tools.resolver)
            message.witness = services.witness()
            message.early = EnvelopeQuestions(
                message.envelope, configuration.evaluation,
                services.tools(message.questions, message.witness))
        }
        return .continue
    }

    func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        let message = currentMessage()
        message.recipients.add(forwardPath, configuration)
        if services.observer.isRecording { message.paths.add(forwardPath) }
        return .continue
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        let message = currentMessage()
        if message.skip?.isOurs != true { message.header.append(name: name, value: value) }
        return .continue
    }

    func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply {
        let message = currentMessage()
        if services.observer.isRecording { message.received = services.now }
        guard message.skip == nil else { return .continue }
        let header = message.header.section
        let author = AuthorField(of: header)
        message.author = author
        message.skip = Skip(author, configuration.scope)
        guard message.skip == nil, header.limitExceeded == nil else {
            message.early?.cancel()
            return .continue
        }
        message.task = DMARCTask(
            header: header, author: author, envelope: message.envelope, early: message.early,
            configuration: configuration, services: services,
            tools: services.tools(message.questions, message.witness))
        return .continue
    }

    func body(_ chunk: Span<UInt8>) -> MilterReply {
        message?.task?.update(chunk)
        message?.body?.append(chunk)
        return .continue
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        guard let finished = message.take() else { return .continue }
        let settings = configuration.observation
        let context = DMARCMessageContext(
            macros, granted: settings.isShadow ? .quarantine : negotiated.edits,
            header: finished.header, configuration: configuration,
            log: settings.log(services.log), trace: services.observer.trace())
        context.trace?.add(finished.questions, finished.witness)
        let (client, helo, negotiated) = (client, helo, negotiated)
        var verdict = decide(finished, context)
        if settings.isShadow {
            verdict = context.compared(
                verdict, as: context.authservID, methods: ["spf", "arc", "dmarc"],
                comparesSignatures: false, log: services.log)
        }
        services.observer.ended(verdict, context.trace, settings) {
            MailFacts(
                client: client, helo: helo, sender: finished.sender, recipients: finished.paths,
                header: context.header,
                omission: finished.skip?.isOurs == true
                    ? "the header section was not looked at" : nil,
                received: finished.received, negotiated: negotiated, macros)
        }
        return verdict
    }

    /// Judges a message that is complete.
    private func decide(_ finished: Message, _ context: DMARCMessageContext) -> MilterVerdict {
        if let skip = finished.skip {
            context.log.info(context.queueID, skip.text)
            context.trace?.say { ($0.outcome, $0.reason) = (.ignored, skip.text) }
            // What a stranger says about himself stays no more than from others.
            return skip.isOurs
                ? .continue : MilterVerdict(edits: context.removals(of: context.forgeries))
        }
        guard let author = finished.author else { return .continue }
        if let refusal = Objection(author, context) {
            finished.task.take()?.abandon()
            return refusal.verdict(context)
        }
        guard let task = finished.task.take() else { return .continue }
        // Every method is configured: without findings nothing is known, and nothing may pass for
        // it.
        guard let findings = task.finish() else { return MilterVerdict(reply: .tempfail) }
        let outcome = MessageOutcome(
            findings, client: client, envelope: finished.envelope,
            recipients: finished.recipients, context)
        // The filter in use reports what it evaluates.
        guard !configuration.observation.isShadow else { return outcome.verdict() }
        if let record = outcome.record(at: services.now) {
            services.records.add(record, hasPolicy: outcome.hasPolicy)
        }
        if let failures = services.failures,
            let failed = outcome.failure(at: services.now, body: finished.body?.octets)
        {
            failures.consider(failed, now: services.tools.time.now())
        }
        return outcome.verdict()
    }

    func abort(_ macros: borrowing MilterMacros) {
        guard let message = message.take() else { return }
        let (client, helo, questions) = (client, helo, message.questions)
        services.observer.aborted(
            message.paths, asked: questions, &abortions, configuration.observation
        ) { omission in
            MailFacts(
                client: client, helo: helo, sender: message.sender, recipients: message.paths,
                header: message.header.section, omission: omission, received: message.received,
                macros)
        }
        if let task = message.task.take() { task.abandon() } else { message.early?.cancel() }
    }
}

/// What the recipients of a message change.
struct RecipientFacts: Sendable {
    /// Whether IgnoreMailTo names one of them, or reports of either kind come from it.
    private(set) var areIgnored = false
    /// The domain of all of them; nil where they are of several, or have none.
    private(set) var domain: DomainName?
    private var isFirst = true
    /// Whether the address of CopyFailuresTo is one of them.
    private(set) var includeCopy = false

    /// Takes a recipient.
    mutating func add(_ forwardPath: Span<UInt8>, _ configuration: DMARCConfiguration) {
        let address = try? EnvelopeAddress(forwardPath: forwardPath)
        if isFirst {
            (domain, isFirst) = (address?.domain, false)
        } else if domain != address?.domain {
            domain = nil
        }
        guard let address, let domain = address.domain else { return }
        let local = String(decoding: address.localPart, as: UTF8.self)
        if let set = configuration.records.ignoredRecipients,
            !set.entries(localPart: local, domain: domain).isEmpty
        {
            areIgnored = true
        }
        if address.comparisonForm == configuration.records.reportAddress?.comparisonForm {
            areIgnored = true
        }
        if let bounce = configuration.records.bounceAddress, bounce.domain == domain,
            local.asciiLowercased.hasPrefix(
                "\(String(decoding: bounce.localPart, as: UTF8.self).asciiLowercased)+")
        {
            areIgnored = true
        }
        if configuration.failures.isOn,
            address.comparisonForm == configuration.failures.sender.asciiLowercased
        {
            areIgnored = true
        }
        if "<\(address.text)>" == configuration.failureCopy { includeCopy = true }
    }
}
