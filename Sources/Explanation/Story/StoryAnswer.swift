internal import FlightRecord

extension MessageStory {
    /// The sentence that answers what became of the message, and why.
    package var answer: String {
        if let decided = stopped { return decided + end + "." }
        let fate = delivery
        if fate == nil, let ended = endedEarly { return ended + "." }
        if let entry = decidingEntry {
            if fate == nil, let refusal = finalRefusal {
                let passed = Self.uncapitalized(EntrySentence.text(of: entry))
                return "\(Self.sentence(refusal)); \(passed)."
            }
            return EntrySentence.text(of: entry) + (fate.map { "; \($0)" } ?? "") + "."
        }
        let unknown = "no daemon of Signet has a record of it"
        if let refusal = refusals.last { return Self.sentence(refusal) + "; \(unknown)." }
        guard let fate else {
            return "Postfix has seen it, and does not say what became of it; \(unknown)."
        }
        return Self.capitalized(fate) + "; \(unknown)."
    }

    /// What is known of a message that ended before it was complete for some daemons, and that the MTA never had in its queue; nil
    /// for others.
    ///
    /// The client has gone or has begun anew, the MTA could not take the message, or another filter refused it.
    private var endedEarly: String? {
        let aborted = FlightVerdict.aborted.rawValue
        let daemons = entries.filter { $0[.verdict] == aborted }.map(\.daemon)
        guard !daemons.isEmpty, !postfix.contains(where: \.isQueued) else { return nil }
        let names = Set(daemons).sorted { $0.rawValue < $1.rawValue }.map(\.name)
        let first = names.dropLast().joined(separator: ", ")
        let all = first.isEmpty ? names : [first] + names.suffix(1)
        var text =
            "Ended before it was complete, so that \(all.joined(separator: " and ")) decided nothing"
        // A refusal of one recipient does not end the message.
        if let refusal = refusals.last, !refusal.isOfRecipient {
            text += "; " + Self.uncapitalized(Self.sentence(refusal))
        }
        return text
    }

    /// What kept the message from its recipients.
    private var stopped: String? {
        let ends: [FlightVerdict] = [.refused, .discarded, .deferred, .held]
        let ending = entries.last { entry in
            entry[.verdict].flatMap(FlightVerdict.init).map(ends.contains) == true
        }
        if let ending { return EntrySentence.text(of: ending) }
        return nil
    }

    /// What became of a message that was stopped, and then was not.
    private var end: String {
        let isReleased = postfix.contains { if case .release = $0 { true } else { false } }
        let fate = delivery
        guard isReleased else { return isDeleted ? "; \(fate ?? "")" : "" }
        return "; released from hold" + (fate.map { ", then \($0)" } ?? "")
    }

    private var isDeleted: Bool { postfix.contains(.deletion) }

    /// A refusal of Postfix's own, or one that it passes on for a milter that has left no record.
    private static func sentence(_ refusal: PostfixEvent.Refusal) -> String {
        let what = refusal.isTemporary ? "Deferred" : "Refused"
        let why = refusal.isByMilter ? " (a milter said so, or did not answer)" : ""
        return "\(what) by Postfix at \(refusal.stage): \(refusal.reply)\(why)"
    }

    /// The entry that says most about a message that went on: what was signed, then why not, then what
    /// was found.
    private var decidingEntry: FlightEntry? {
        func last(_ verdict: FlightVerdict, _ daemon: FlightDaemon? = nil) -> FlightEntry? {
            entries.last { entry in
                entry[.verdict] == verdict.rawValue && (daemon == nil || entry.daemon == daemon)
            }
        }
        // Another daemon's word of it counts for more than that one saw no end.
        let others = entries.filter { $0[.verdict] != FlightVerdict.aborted.rawValue }
        return last(.marked) ?? last(.signed) ?? last(.unsigned) ?? last(.passed, .dmarc)
            ?? last(.passed, .dkim) ?? last(.passed) ?? last(.scrubbed) ?? last(.ignored)
            ?? others.last ?? entries.last
    }

    /// The refusal that kept the message from the queue, whatever the daemons thought of it: the MTA's own, or another filter's.
    private var finalRefusal: PostfixEvent.Refusal? {
        guard !postfix.contains(where: \.isQueued) else { return nil }
        // That of one recipient ends no message that has a queue id.
        return refusals.last { !$0.isOfRecipient || queueIDs.isEmpty }
    }

    private var refusals: [PostfixEvent.Refusal] {
        postfix.compactMap { if case .refusal(let refusal) = $0 { refusal } else { nil } }
    }

    /// What became of the delivery: of the last queue id's recipients.
    private var delivery: String? {
        // Notifications to the sender are deliveries of their own.
        let notifications = Set(
            postfix.compactMap { if case .bounce(let id) = $0 { id } else { nil } })
        let deliveries = lines.compactMap { line -> PostfixEvent.Delivery? in
            guard line.queueID.map(notifications.contains) != true,
                case .delivery(let delivery) = PostfixEvent(line)
            else { return nil }
            return delivery
        }
        // What was handed over on this host alone is not delivered yet.
        let final = deliveries.filter { delivery in
            !(delivery.nextID.map(queueIDs.contains) ?? false)
        }
        guard let last = final.last else { return isDeleted ? "deleted from the queue" : nil }
        var latest: [String: PostfixEvent.Delivery] = [:]
        for delivery in final { latest[delivery.recipient] = delivery }
        let least = isCut ? "at least " : ""
        let others = latest.count > 1 ? " and \(least)\(latest.count - 1) more" : ""
        let to = "\(last.recipient)\(others)"
        switch last.status {
        case "sent":
            let next = last.nextID.map { ", there queued as \($0)" } ?? ""
            let relay = last.relay.prefix { $0 != "[" }
            return relay == "local" || relay == "none" || relay.isEmpty
                ? "delivered to \(to)" : "delivered to \(to) by \(relay)\(next)"
        case "deferred": return "not yet delivered to \(to): \(last.answer)"
        case "bounced", "expired":
            return "returned to the sender, \(to) was refused: \(last.answer)"
        default: return "\(last.status) for \(to): \(last.answer)"
        }
    }

    private static func uncapitalized(_ text: String) -> String {
        text.prefix(1).lowercased() + text.dropFirst()
    }

    private static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
