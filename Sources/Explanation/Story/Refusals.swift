internal import FlightRecord

/// The MTA's lines about what was refused before there was a queue id, each of which belongs to one story.
struct Refusals {
    private struct Refusal {
        let line: MailLogLine
        let client: String
        let recipient: String?
        var isTold = false
    }

    private var refusals: [Refusal] = []
    /// The refusals of each recipient, in the order of time; those without one under the empty name.
    private var byRecipient: [String: [Int]] = [:]

    /// How far the times of an entry and its line may lie apart, in microseconds.
    private static let nearness: Int64 = 5_000_000
    /// How far apart the refusals of one attempt may lie, in microseconds.
    private static let attemptSpan: Int64 = 5_000_000

    /// Takes lines; those that refuse nothing are passed over.
    init(_ lines: [MailLogLine]) {
        refusals = lines.sorted { $0.time < $1.time }.compactMap { line in
            guard case .refusal(let refusal) = PostfixEvent(line) else { return nil }
            return Refusal(
                line: line, client: refusal.client, recipient: refusal.recipient?.lowercased())
        }
        for (index, refusal) in refusals.enumerated() {
            byRecipient[refusal.recipient ?? "", default: []].append(index)
        }
    }

    /// The stories of entries without a queue id, each with its line, and those of the lines that are left.
    consuming func stories(with entries: [FlightEntry]) -> [MessageStory] {
        var stories: [MessageStory] = []
        for attempt in EndedAttempts(entries).all {
            guard let entry = attempt.first else { continue }
            let index = index(of: entry)
            if let index { refusals[index].isTold = true }
            stories.append(
                MessageStory(
                    queueIDs: [], entries: attempt,
                    lines: index.map { [refusals[$0].line] } ?? []))
        }
        return stories
            + attempts.map { MessageStory(queueIDs: [], entries: [], lines: $0) }
    }

    /// The first refusal that an entry may be about, and no entry before it was.
    private func index(of entry: FlightEntry) -> Int? {
        guard let recipient = entry[.recipient]?.lowercased() else {
            return first(of: Array(refusals.indices), like: entry)
        }
        return [byRecipient[recipient], byRecipient[""]].compactMap { $0 }
            .compactMap { first(of: $0, like: entry) }.min()
    }

    private func first(of indices: [Int], like entry: FlightEntry) -> Int? {
        let time = entry.time
        // A code says nothing of the address that it stands for.
        let client = entry[.clientAddress].flatMap { $0.hasPrefix("~") ? nil : "[\($0)]" }
        var (low, high) = (0, indices.count)
        while low < high {
            let middle = (low + high) / 2
            if refusals[indices[middle]].line.time <= time - Self.nearness {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return indices[low...].prefix { refusals[$0].line.time < time + Self.nearness }
            .first { index in
                !refusals[index].isTold
                    && client.map { refusals[index].client.hasSuffix($0) } ?? true
            }
    }

    /// Refusals that no daemon knows of: those of one client one after another are one attempt, as a
    /// client is refused at each command while a milter does not answer.
    private var attempts: [[MailLogLine]] {
        var attempts: [[MailLogLine]] = []
        var newest: [String: Int] = [:]
        for refusal in refusals where !refusal.isTold {
            if let index = newest[refusal.client], let last = attempts[index].last,
                refusal.line.time - last.time < Self.attemptSpan
            {
                attempts[index].append(refusal.line)
            } else {
                newest[refusal.client] = attempts.count
                attempts.append([refusal.line])
            }
        }
        return attempts
    }
}
