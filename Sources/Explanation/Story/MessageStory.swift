package import FlightRecord

/// All that is known of one message.
package struct MessageStory: Hashable, Sendable {
    /// The queue ids that it had on this host, the first one first asked for.
    package let queueIDs: [String]
    /// What the daemons have recorded, in the order of time.
    package let entries: [FlightEntry]
    /// What the MTA has logged, in the order of time.
    package let lines: [MailLogLine]
    /// Whether the log has more of them: these are the last.
    package let isCut: Bool

    /// A moment of the story.
    package struct Event: Hashable, Sendable {
        /// In microseconds since 1970.
        package let time: Int64
        /// Who tells: `signet-dkim`, `postfix/smtp`.
        package let program: String
        /// What happened.
        package let what: String
        /// More about it, for those who ask.
        package let details: [String]
    }

    /// Puts a story together.
    init(
        queueIDs: [String], entries: [FlightEntry], lines: [MailLogLine], isCut: Bool = false
    ) {
        self.isCut = isCut
        self.queueIDs = queueIDs
        self.entries = entries.sorted { $0.time < $1.time }
        self.lines = lines.sorted { $0.time < $1.time }
    }

    /// The story that one entry tells.
    package init(of entry: FlightEntry) {
        self.init(queueIDs: entry.all(.queueID), entries: [entry], lines: [])
    }

    /// When it began.
    package var time: Int64 {
        min(entries.first?.time ?? .max, lines.first?.time ?? .max)
    }

    /// What Postfix's lines say.
    var postfix: [PostfixEvent] { lines.compactMap { PostfixEvent($0) } }

    /// Whether nothing is known but that a client of this address has begun it.
    func isOnlyBegun(by address: String) -> Bool {
        entries.isEmpty && !lines.isEmpty
            && postfix.allSatisfy { event in
                guard case .begin(let client, _) = event else { return false }
                return client.hasSuffix("[\(address)]")
            }
    }

    /// The Message-ID.
    package var messageID: String? {
        let logged = postfix.compactMap { event -> String? in
            if case .messageID(let id) = event { id } else { nil }
        }
        return logged.first ?? entries.lazy.compactMap { $0[.messageID] }.first
    }

    /// The domains of the From field.
    package var authors: [String] {
        entries.map { $0.all(.author) }.first { !$0.isEmpty } ?? []
    }

    /// The reverse-path.
    package var sender: String? {
        entries.lazy.compactMap { $0[.sender] }.first
            ?? postfix.lazy.compactMap { event -> String? in
                switch event {
                case .from(let sender): sender.isEmpty ? "<>" : sender
                case .refusal(let refusal): refusal.sender
                default: nil
                }
            }.first
    }

    /// The client.
    package var client: String? {
        let logged = postfix.compactMap { event -> String? in
            switch event {
            case .begin(let client, _): client
            case .refusal(let refusal): refusal.client
            default: nil
            }
        }
        if let first = logged.first { return first }
        guard let entry = entries.first(where: { $0[.clientAddress] != nil }),
            let address = entry[.clientAddress]
        else { return nil }
        return entry[.clientName].map { "\($0)[\(address)]" } ?? address
    }

    /// What happened, in the order of time.
    package var events: [Event] {
        let ours = entries.map { entry in
            Event(
                time: entry.time, program: entry.daemon.name, what: EntrySentence.text(of: entry),
                details: EntrySentence.details(of: entry))
        }
        let theirs = lines.filter { !$0.program.contains("signet") }.map { line in
            Event(
                time: line.time, program: line.program,
                what: line.queueID.map { queueIDs.count > 1 ? "\($0): \(line.text)" : line.text }
                    ?? line.text, details: [])
        }
        return (ours + theirs).sorted { $0.time < $1.time }
    }

    /// The verdict of each daemon, by its short name: the last one.
    package var verdicts: [String: String] {
        var verdicts: [String: String] = [:]
        for entry in entries { verdicts[entry.daemon.shortName] = entry[.verdict] ?? "unknown" }
        return verdicts
    }
}
