internal import CMilter
internal import Milter

/// One connection: the session, and what libmilter's rules ask around it.
///
/// libmilter owns the only reference between events (its private pointer), from negotiation to
/// close. Its events never overlap, so nothing here is locked.
final class LibmilterConnection {
    private let service: MilterService
    private let negotiation: Negotiation
    /// The events that the session was made for.
    private let events: MilterEvents
    private let session: any MilterSession
    /// The events that the session wants no more of in this message.
    private var skipped: MilterEvents = []
    /// Set when the session has answered where it could not: a fault of the filter, after which
    /// nothing passes on this connection.
    private var hasLostAnswer = false

    init(
        service: MilterService, events: MilterEvents, negotiation: Negotiation,
        session: any MilterSession
    ) {
        self.service = service
        self.events = events
        self.negotiation = negotiation
        self.session = session
    }

    var hasLeadingSpace: Bool { negotiation.agreed.hasLeadingSpace }

    /// Passes one event to the session and turns its answer into libmilter's.
    ///
    /// An MTA may send an event that was not asked for (an old one does not know how to leave it
    /// out): the session does not see it.
    func deliver(
        _ event: MilterEvents, _ context: Context, _ call: (any MilterSession) -> MilterReply
    ) -> sfsistat {
        guard events.contains(event), !skipped.contains(event) else {
            return negotiation.silent.contains(event) ? SMFIS_NOREPLY : SMFIS_CONTINUE
        }
        let isSilent = negotiation.silent.contains(event)
        switch call(session) {
        case .continue:
            return isSilent ? SMFIS_NOREPLY : SMFIS_CONTINUE
        case .skip:
            let isSkippable = event == .header || event == .recipient || event == .body
            if isSkippable { skipped.insert(event) }
            if isSilent { return SMFIS_NOREPLY }
            // Where the MTA does not know it, the events still come and are not passed on.
            return isSkippable && negotiation.canSkip ? SMFIS_SKIP : SMFIS_CONTINUE
        case let reply:
            if isSilent {
                loseAnswer(to: event)
                return SMFIS_NOREPLY
            }
            if event != .connect && event != .helo && reply.endsMessage(at: event) {
                abort(context)
            }
            return status(of: reply, context)
        }
    }

    /// Notes an answer that cannot be sent, as the MTA was told that none would come.
    ///
    /// What it wanted to refuse must not pass: the message ends in tempfail.
    private func loseAnswer(to event: MilterEvents) {
        hasLostAnswer = true
        service.onProblem(MilterEvents.lostAnswer(to: event))
    }

    /// Ends the message: edits, then the reply.
    ///
    /// libmilter writes each edit by itself. A failure after the first cannot be taken back; the
    /// tempfail that follows keeps the half-edited message from being delivered.
    func endOfMessage(_ context: Context) -> sfsistat {
        let macros = MilterMacros(context)
        let verdict = session.endOfMessage(macros)
        skipped = []
        if hasLostAnswer { return SMFIS_TEMPFAIL }
        let checked = verdict.checked(granted: negotiation.agreed.edits, queueID: macros["i"])
        if let problem = checked.problem { service.onProblem(problem) }
        for edit in checked.edits
        where !context.send(edit, hasLeadingSpace: hasLeadingSpace) {
            service.onProblem("edit could not be sent to the MTA: \(edit.summary)")
            return SMFIS_TEMPFAIL
        }
        return status(of: checked.reply, context)
    }

    /// The message has ended without end of message.
    func abort(_ context: Context) {
        skipped = []
        session.abort(MilterMacros(context))
    }

    func close() {
        session.close()
    }

    private func status(of reply: MilterReply, _ context: Context) -> sfsistat {
        switch reply {
        case .continue, .skip: SMFIS_CONTINUE
        case .accept: SMFIS_ACCEPT
        case .discard: SMFIS_DISCARD
        case .tempfail: SMFIS_TEMPFAIL
        case .reject: SMFIS_REJECT
        case .reply(let reply): context.refuse(reply)
        }
    }
}
