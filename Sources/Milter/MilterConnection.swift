internal import MailSyntax

/// What all connections to a filter share.
package struct MilterService: Sendable {
    /// Gives the filter for a connection that begins now.
    package let filter: @Sendable () -> any MilterFilter
    /// Whether the MTA connects over TCP.
    package let isOverTCP: Bool
    /// Takes a line for each refused connection and each fault, from any thread.
    package let onProblem: @Sendable (String) -> Void
    /// Takes each client that speaks the policy protocol, from any thread.
    package let onPolicyClient: @Sendable () -> Void

    /// Describes what is served.
    package init(
        filter: @escaping @Sendable () -> any MilterFilter, isOverTCP: Bool,
        onProblem: @escaping @Sendable (String) -> Void,
        onPolicyClient: @escaping @Sendable () -> Void = {}
    ) {
        self.filter = filter
        self.isOverTCP = isOverTCP
        self.onProblem = onProblem
        self.onPolicyClient = onPolicyClient
    }

    /// What a filter needs over this transport.
    package func needs(of filter: any MilterFilter) -> MilterNeeds {
        isOverTCP ? filter.needs.overTCP : filter.needs
    }

    /// The answer to a request of the policy protocol: what Postfix answers itself, after several
    /// attempts, where a policy service does not speak its protocol
    /// (smtpd_policy_service_default_action).
    private static let policyAnswer = Array(
        "action=451 4.3.5 Server configuration problem\n\n".utf8)

    /// Reports a fault that ends a connection, and gives what is sent before the end.
    ///
    /// - Parameters:
    ///   - fault: The fault.
    ///   - isFirst: Whether nothing has been agreed on the connection: a client that speaks the
    ///     policy protocol from the start understands an answer in that protocol.
    /// - Returns: Octets for the client, none as a rule.
    func answer(to fault: MilterFault, isFirst: Bool) -> [UInt8] {
        if fault == .policyRequest, isFirst {
            onPolicyClient()
            return Self.policyAnswer
        }
        onProblem("connection ended: the MTA sent \(fault)")
        return []
    }
}

/// The milter protocol of one connection, without a socket: octets come in and become events of a
/// session, whose answers become octets that go out.
///
/// The same octets, cut anywhere, give the same events and answers. All that a message's end is
/// answered with, edits and verdict, is appended in one call, and so leaves in one write.
package final class MilterConnection {
    /// How far the connection has come.
    package enum Phase: Equatable, Sendable {
        /// Nothing has been agreed, or another offer may come (SMFIC_QUIT_NC).
        case new
        /// Agreed, and nothing has come since.
        case ready
        /// An SMTP session is under way, and no message.
        case session
        /// A message is under way; the last command was this stage's or later.
        case message(MilterEvents)
    }

    /// What follows after octets have been taken.
    package enum Step: Equatable, Sendable {
        /// More may come.
        case goOn
        /// The connection is to be closed when the output has been written.
        case close
    }

    /// An agreement with the MTA, and the session made under it.
    private final class Agreement {
        let filter: any MilterFilter
        let events: MilterEvents
        let negotiation: Negotiation
        var session: any MilterSession

        init(_ filter: any MilterFilter, events: MilterEvents, _ negotiation: Negotiation) {
            self.filter = filter
            self.events = events
            self.negotiation = negotiation
            session = filter.makeSession(protocol: negotiation.agreed)
        }
    }

    private let service: MilterService
    private var decoder = FrameDecoder()
    private let macros = MacroStore()
    private var agreement: Agreement?
    /// How far the connection has come.
    package private(set) var phase = Phase.new
    /// The events of which the session wants no more in this message.
    private var skipped: MilterEvents = []
    /// Set when the session has answered where it could not: a fault of the filter, after which
    /// nothing passes on this connection.
    private var hasLostAnswer = false
    private var hasEnded = false

    /// Begins a connection.
    package init(_ service: MilterService) {
        self.service = service
    }

    /// The octets that wait for the rest of their frame.
    package var bufferedOctets: Int { decoder.bufferedOctets }

    /// Takes what has arrived, and appends what is to be sent to `output`.
    package func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> Step {
        guard !hasEnded else { return .close }
        do throws(MilterFault) {
            try decoder.decode(input) { (letter, data) throws(MilterFault) in
                // What follows the end in the same read is not for anybody, faults included.
                if !hasEnded { try take(letter, data, &output) }
            }
        } catch {
            guard !hasEnded else { return .close }
            output += service.answer(to: error, isFirst: agreement == nil)
            end()
        }
        return hasEnded ? .close : .goOn
    }

    /// The connection has ended; may be called more than once.
    package func end() {
        hasEnded = true
        endSession()
    }

    // MARK: - Commands

    private func take(
        _ letter: UInt8, _ data: Span<UInt8>, _ output: inout [UInt8]
    ) throws(MilterFault) {
        let command = try MilterCommand(letter: letter)
        switch command {
        case .negotiate: try negotiate(try CommandData.offer(data), &output)
        case .macros: try macros.take(data)
        case .quit: end()
        default:
            guard let agreement else { throw MilterFault("\(command) before negotiation") }
            try take(command, data, agreement, &output)
        }
    }

    private func take(
        _ command: MilterCommand, _ data: Span<UInt8>, _ agreement: Agreement,
        _ output: inout [UInt8]
    ) throws(MilterFault) {
        switch command {
        case .abort:
            abortMessage()
            macros.forgetMessage()
        case .quitForNewConnection:
            endSession()
            // Another SMTP session follows under the same agreement, or a new offer.
            self.agreement = Agreement(
                agreement.filter, events: agreement.events, agreement.negotiation)
            phase = .new
        case .unknown:
            if agreement.negotiation.expectsReplyToUnknown {
                ReplyEncoder.append(.continue, to: &output)
            }
        case .endOfMessage:
            try enter(.endOfMessage, agreement)
            try endOfMessage(data, agreement, &output)
        default:
            guard let event = command.event else { return }
            try enter(command, agreement)
            try deliver(command, event, data, agreement, &output)
        }
    }

    /// Agrees with the MTA and makes the connection's session, or refuses it.
    private func negotiate(_ offer: MilterOffer, _ output: inout [UInt8]) throws(MilterFault) {
        guard phase == .new else { throw MilterFault("a second negotiation") }
        guard offer.version >= Negotiation.versions.lowerBound else {
            throw MilterFault("an offer of version \(offer.version)")
        }
        endSession()
        let filter = service.filter()
        let needs = service.needs(of: filter)
        switch Negotiation.answer(
            needs: needs, offeredActions: offer.actions, offeredOptions: offer.options)
        {
        case .success(let negotiation):
            agreement = Agreement(filter, events: needs.events, negotiation)
            phase = .ready
            ReplyEncoder.append(
                version: min(offer.version, Negotiation.versions.upperBound), negotiation,
                macros: needs.macros, to: &output)
        case .failure(let missing):
            service.onProblem("connection refused: \(missing)")
            hasEnded = true
        }
    }

    /// Moves on to a command's phase.
    ///
    /// A message's commands come in order, any of them may be left out, and one that does not fit
    /// ends the message that was under way.
    private func enter(_ command: MilterCommand, _ agreement: Agreement) throws(MilterFault) {
        guard let order = MilterEvents.order(of: command) else {
            // CONNECT and HELO belong to the SMTP session.
            abortMessage()
            phase = .session
            return
        }
        let isRepeatable = command == .recipient || command == .header || command == .body
        if case .message(let last) = phase,
            last.rawValue < order.rawValue || last == order && isRepeatable
        {
            phase = .message(order)
            return
        }
        abortMessage()
        // Whoever was asked for MAIL and begins without it has lost the thread, or goes on with a
        // message that was decided.
        guard command == .mail || agreement.negotiation.leavesOut(.mail) else {
            throw MilterFault("\(command) outside a message")
        }
        skipped = []
        phase = .message(order)
    }

    // MARK: - Events

    /// Passes one event to the session and its answer to the MTA.
    ///
    /// An MTA may send an event that was not asked for (an old one does not know how to leave it
    /// out): the session does not see it.
    private func deliver(
        _ command: MilterCommand, _ event: MilterEvents, _ data: Span<UInt8>,
        _ agreement: Agreement, _ output: inout [UInt8]
    ) throws(MilterFault) {
        let negotiation = agreement.negotiation
        var reply = MilterReply.continue
        if let stage = MilterStage(event) { macros.forget(after: stage) }
        if agreement.events.contains(event), !skipped.contains(event) {
            reply = try call(agreement, event, data)
            if reply == .skip {
                let isSkippable = event == .header || event == .recipient || event == .body
                if isSkippable { skipped.insert(event) } else { reply = .continue }
            }
            if negotiation.silent.contains(event), reply != .continue, reply != .skip {
                loseAnswer(to: event)
                reply = .continue
            }
            if reply.endsMessage(at: event) { decide(at: event) }
        } else {
            // Its data is checked all the same.
            try CommandData.check(data, of: command)
        }
        guard negotiation.answered.contains(event) else { return }
        // Where the MTA does not know `skip`, the events still come and are not passed on.
        let canSkip = negotiation.canSkip && !negotiation.silent.contains(event)
        ReplyEncoder.append(reply, canSkip: canSkip, to: &output)
    }

    private func call(
        _ agreement: Agreement, _ event: MilterEvents, _ data: Span<UInt8>
    ) throws(MilterFault) -> MilterReply {
        let session = agreement.session
        // Most events, and the only one that is given no macros.
        if event == .header { return try header(data, session, agreement.negotiation) }
        let macros = MilterMacros(self.macros)
        switch event {
        case .connect: return session.connect(try CommandData.client(data), macros)
        case .helo:
            return session.helo(data.extracting(..<(try CommandData.textEnd(data))), macros)
        case .mail:
            let ends = try CommandData.textEnds(data)
            return session.mail(
                data.extracting(..<ends[0]), parameters: Self.parameters(data, ends), macros)
        case .recipient:
            let ends = try CommandData.textEnds(data)
            return session.recipient(
                data.extracting(..<ends[0]), parameters: Self.parameters(data, ends), macros)
        case .data: return session.data(macros)
        case .endOfHeader: return session.endOfHeader(macros)
        case .body: return session.body(data)
        default: return .continue
        }
    }

    private static func parameters(_ data: Span<UInt8>, _ ends: [Int]) -> [[UInt8]] {
        zip(ends, ends.dropFirst()).map { data.extracting($0 + 1..<$1).copied() }
    }

    /// Passes a header field on, with its leading space.
    ///
    /// Where the MTA has eaten the one space that usually follows the colon, it is put back. A value
    /// that begins with a tab or a fold most likely had none.
    private func header(
        _ data: Span<UInt8>, _ session: any MilterSession, _ negotiation: Negotiation
    ) throws(MilterFault) -> MilterReply {
        let nameEnd = try CommandData.nameEnd(ofField: data)
        let name = data.extracting(..<nameEnd)
        let value = data.extracting(nameEnd + 1..<data.count - 1)
        let first = value.isEmpty ? nil : value[0]
        if negotiation.agreed.hasLeadingSpace || first == .tab || first == .lf {
            return session.header(name: name, value: value)
        }
        var restored: [UInt8] = [.space]
        restored.append(contentsOf: value)
        return session.header(name: name, value: restored.span)
    }

    /// Ends the message: edits, then the reply.
    private func endOfMessage(
        _ data: Span<UInt8>, _ agreement: Agreement, _ output: inout [UInt8]
    ) throws(MilterFault) {
        // The last piece of the body may come with it.
        if data.count > 0, agreement.events.contains(.body), !skipped.contains(.body) {
            let reply = agreement.session.body(data)
            if reply.endsMessage(at: .body) {
                decide(at: .body)
                return ReplyEncoder.append(reply, to: &output)
            }
        }
        let macros = MilterMacros(self.macros)
        let verdict = agreement.session.endOfMessage(macros)
        var checked = MilterVerdict.Checked(reply: .tempfail)
        if !hasLostAnswer {
            checked = verdict.checked(
                granted: agreement.negotiation.agreed.edits, queueID: macros["i"])
        }
        if let problem = checked.problem { service.onProblem(problem) }
        for edit in checked.edits {
            ReplyEncoder.append(
                edit, hasLeadingSpace: agreement.negotiation.agreed.hasLeadingSpace, to: &output)
        }
        ReplyEncoder.append(checked.reply, to: &output)
        phase = .session
        skipped = []
        self.macros.forgetMessage()
    }

    // MARK: - Ends

    /// The session's answer has decided about the message, or about all of the SMTP session's.
    private func decide(at event: MilterEvents) {
        guard event != .connect, event != .helo else { return }
        abortMessage()
        macros.forgetMessage()
    }

    /// Ends the message under way without end of message.
    private func abortMessage() {
        guard case .message = phase else { return }
        phase = .session
        skipped = []
        agreement?.session.abort(MilterMacros(macros))
    }

    private func endSession() {
        abortMessage()
        agreement?.session.close()
        agreement = nil
        macros.forgetAll()
    }

    /// Notes an answer that cannot be sent, as the MTA was told that none would come.
    ///
    /// What it wanted to refuse must not pass: the message ends in tempfail.
    private func loseAnswer(to event: MilterEvents) {
        hasLostAnswer = true
        service.onProblem(MilterEvents.lostAnswer(to: event))
    }
}

extension MilterEvents {
    /// The line for a filter that answers where it had said that it would not.
    package static func lostAnswer(to event: MilterEvents) -> String {
        "filter answered event 0x\(String(event.rawValue, radix: 16)), for which it had asked "
            + "no reply"
    }

    /// The place of a command in a message; the bits of events are in that order.
    fileprivate static func order(of command: MilterCommand) -> MilterEvents? {
        switch command {
        case .mail, .recipient, .data, .header, .endOfHeader, .body: command.event
        case .endOfMessage: MilterEvents(rawValue: MilterEvents.body.rawValue << 1)
        default: nil
        }
    }
}

extension MilterStage {
    /// The stage of an event; nil for those that have no macros of their own.
    fileprivate init?(_ event: MilterEvents) {
        switch event {
        case .connect: self = .connect
        case .helo: self = .helo
        case .mail: self = .mail
        case .recipient: self = .recipient
        case .data: self = .data
        case .endOfHeader: self = .endOfHeader
        default: return nil
        }
    }
}
