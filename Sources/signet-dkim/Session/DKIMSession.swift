import Configuration
import DaemonKit
import MailAuth
import MailSyntax
import Milter
import MilterDaemon
import Observation
import SigningLog
import Traffic

/// One connection of the MTA, with any number of messages.
///
/// State lives in two places: what the connection told (`client`), and what the message under way
/// told (`message`), which is forgotten at every end: end of message and abort. The configuration
/// is the one that held when the connection began.
final class DKIMSession: MilterSession {
    private let services: DKIMServices
    private let counted: Observer.Session?
    private let configuration: DKIMConfiguration
    private let negotiated: NegotiatedProtocol
    private var client = Client()
    private var helo: [UInt8] = []
    private var message: Message?
    private var abortions = Observer.Abortions()

    /// Begins a connection.
    init(
        services: DKIMServices, configuration: DKIMConfiguration,
        protocol negotiated: NegotiatedProtocol
    ) {
        self.services = services
        counted = services.observer.session()
        self.configuration = configuration
        self.negotiated = negotiated
    }

    /// The message under way: an object of its own, as most connections are idle and have none.
    private final class Message {
        var facts = MessagePlan.Facts()
        var task = DKIMTask.waiting
        /// The MTA's name for the message, known when its header section has ended.
        var queueID: String?
        /// The reverse-path, where a record is kept.
        var sender: [UInt8]?
        /// The domains of the recipients, where signatures are counted.
        var recipients: Set<String> = []
        /// The recipients, where a record is kept.
        var paths = MailFacts.Recipients()
        /// When the header section had come, in seconds since 1970, where a record is kept.
        var received: Int64 = 0
        /// The header section while it comes in.
        var header: IncomingHeader

        init(_ configuration: DKIMConfiguration) {
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
        if services.observer.isRecording { message.sender = reversePath.copied() }
        for name in configuration.traffic.macroNames { message.facts.macros[name] = macros[name] }
        return .continue
    }

    func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        if services.observer.isRecording { currentMessage().paths.add(forwardPath) }
        guard configuration.needsRecipients,
            let address = try? EnvelopeAddress(forwardPath: forwardPath),
            let domain = address.domain
        else { return .continue }
        if configuration.countsSignatures {
            let message = currentMessage()
            if message.recipients.count < SigningLog.mostRecipients {
                message.recipients.insert(domain.ascii)
            }
        }
        guard let set = configuration.dontSignMailTo else { return .continue }
        let local = String(decoding: address.localPart, as: UTF8.self)
        if !set.entries(localPart: local, domain: domain).isEmpty {
            currentMessage().facts.unsignedRecipient = address.text
        }
        return .continue
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        currentMessage().header.append(name: name, value: value)
        return .continue
    }

    func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply {
        let message = currentMessage()
        if services.observer.isRecording { message.received = services.now }
        message.facts.client = client
        message.facts.header = message.header.section
        message.queueID = macros.queueID
        let plan = MessagePlan(message.facts, configuration)
        if case .sign = plan.work, !negotiated.hasLeadingSpace,
            configuration.recipe.canonicalization.header == .simple
        {
            services.warnOfHiddenSpaces(message.queueID)
        }
        message.task = DKIMTask(
            plan, header: message.facts.header, client: client.address,
            configuration: configuration, services: services)
        return .continue
    }

    func body(_ chunk: Span<UInt8>) -> MilterReply {
        message?.task.update(chunk)
        return .continue
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        guard let finished = message.take() else { return .continue }
        let settings = configuration.observation
        let context = DKIMMessageContext(
            macros, granted: settings.isShadow ? .quarantine : negotiated.edits,
            header: finished.header, configuration: configuration,
            log: settings.log(services.log), trace: services.observer.trace())
        let (client, helo, negotiated) = (client, helo, negotiated)
        let isSignable = finished.task.isSignable
        var verdict = finished.task.finish(context, recipients: finished.recipients)
        if settings.isShadow {
            verdict = context.compared(
                verdict, as: context.authservID, methods: ["dkim"],
                comparesSignatures: isSignable, log: services.log)
        }
        services.observer.ended(verdict, context.trace, settings) {
            MailFacts(
                client: client, helo: helo, sender: finished.sender, recipients: finished.paths,
                header: context.header, received: finished.received, negotiated: negotiated,
                conditions: finished.facts.macros, macros)
        }
        return verdict
    }

    func abort(_ macros: borrowing MilterMacros) {
        guard let message = message.take() else { return }
        let (client, helo) = (client, helo)
        services.observer.aborted(message.paths, &abortions, configuration.observation) {
            omission in
            MailFacts(
                client: client, helo: helo, sender: message.sender, recipients: message.paths,
                header: message.header.section, omission: omission, received: message.received,
                macros)
        }
        // The client vanished, or the connection broke.
        if !message.header.section.isEmpty {
            services.log.info(message.queueID, "ended by the MTA before it was complete")
        }
        message.task.abandon()
    }
}
