internal import FlightRecord
internal import MailAuth
package import MailDNS
package import Milter
internal import Threads

extension Observer {
    /// The most questions to the DNS that an entry has.
    private static let mostQuestions = 60

    /// What parts of the daemon say about a message from now on; nil where nobody looks at it.
    package func trace() -> MessageTrace? { isWatching ? MessageTrace() : nil }

    /// A resolver that remembers what one message has asked; nil where no record is kept.
    package func recording(_ resolver: any DNSResolver) -> RecordingResolver? {
        isRecording ? RecordingResolver(resolver) : nil
    }

    /// How many messages of one connection have ended before they were complete.
    package struct Abortions: Sendable {
        fileprivate var count = 0
        /// The most that a record has: a client can begin them as fast as it can write.
        fileprivate static let most = 20

        /// None.
        package init() {}
    }

    /// A message has ended before it was complete, so that nothing was decided about it.
    ///
    /// It is recorded only where a recipient was taken: most clients are refused before that, and the MTA's log says so.
    ///
    /// - Parameters:
    ///   - recipients: the recipients that have come, where a record is kept.
    ///   - questions: what was asked of the DNS so far.
    ///   - abortions: how many the connection has had.
    ///   - settings: the configuration that held.
    ///   - facts: gives what the MTA told, with the reason why no decision can be taken again; called only where it is kept.
    package func aborted(
        _ recipients: MailFacts.Recipients, asked questions: RecordingResolver? = nil,
        _ abortions: inout Abortions, _ settings: ObservationSettings,
        _ facts: (_ omission: String) -> MailFacts
    ) {
        guard isRecording, recipients.count > 0 else { return }
        abortions.count += 1
        guard abortions.count <= Abortions.most else { return }
        let facts = facts("it ended before it was complete")
        let questions = questions?.entries ?? []
        let octets = 2 * facts.octets + questions.reduce(0) { $0 + $1.octets }
        ended(.aborted, seconds: nil, holding: octets) { entry in
            facts.add(to: &entry)
            for question in questions.prefix(Self.mostQuestions) {
                entry.add(.question, question.line)
            }
            entry.add(.generation, settings.generation)
            facts.addEvidence([], [], ended: 0, to: &entry)
        }
    }

    /// The end of a message.
    ///
    /// - Parameters:
    ///   - verdict: the answer to the MTA.
    ///   - trace: what was said of the message; where there is none nothing is done.
    ///   - settings: the configuration that held.
    ///   - facts: gives what the MTA told; called only where it is kept.
    package func ended(
        _ verdict: MilterVerdict, _ trace: MessageTrace?, _ settings: ObservationSettings,
        _ facts: () -> MailFacts
    ) {
        guard let trace else { return }
        let said = trace.said
        for made in said.signatures { signed(domain: made.domain, algorithm: made.algorithm) }
        if let reason = said.unsigned { leftUnsigned(reason) }
        let done = verdict.flightVerdict(otherwise: said.outcome)
        let seconds = MonotonicTime.now().seconds(since: trace.start)
        guard isRecording else { return ended(done, seconds: seconds) { _ in } }
        let facts = facts()
        // As they are now: answers that come later were no help.
        let questions = said.questions?.entries ?? []
        let statements = said.witness?.statements ?? []
        let decided = said.questions.map { MonotonicTime.now().seconds(since: $0.start) } ?? seconds
        let octets =
            2 * facts.octets + questions.reduce(0) { $0 + $1.octets } + verdict.octets
            + 200 * statements.count
        ended(done, seconds: seconds, holding: octets) { entry in
            entry.add(.stage, "END-OF-MESSAGE")
            facts.add(to: &entry)
            entry.add(.reason, said.reason)
            for made in said.signatures {
                entry.add(
                    .signature, "d=\(made.domain) s=\(made.selector) a=\(made.algorithm)")
            }
            for question in questions.prefix(Self.mostQuestions) {
                entry.add(.question, question.line)
            }
            for story in said.stories { story(&entry) }
            verdict.add(to: &entry)
            entry.add(.generation, settings.generation)
            facts.addEvidence(questions, statements, ended: decided, to: &entry)
        }
    }
}

extension MilterVerdict {
    /// About how much memory the edits take.
    fileprivate var octets: Int {
        edits.reduce(0) { octets, edit in
            switch edit {
            case .insertHeader(_, _, let value), .addHeader(_, let value),
                .changeHeader(_, _, let value):
                octets + 128 + value.count
            case .deleteHeader, .quarantine, .addRecipient, .deleteRecipient, .changeSender:
                octets + 128
            }
        }
    }

    /// What was done with the message.
    fileprivate func flightVerdict(otherwise: FlightVerdict) -> FlightVerdict {
        switch reply {
        case .reply(let reply): return reply.code < 500 ? .deferred : .refused
        case .reject: return .refused
        case .tempfail: return .deferred
        case .discard: return .discarded
        case .continue, .accept, .skip: break
        }
        let isHeld = edits.contains { if case .quarantine = $0 { true } else { false } }
        return isHeld ? .held : otherwise
    }

    /// Adds the edits and the reply to an entry.
    fileprivate func add(to entry: inout FlightEntry) {
        if case .reply(let reply) = reply {
            let code = reply.enhancedCode.map { "\(reply.code) \($0)" } ?? "\(reply.code)"
            entry.add(.reply, "\(code) \(reply.lines.joined(separator: " "))")
        }
        for edit in edits { entry.add(.edit, edit.summary) }
    }
}
