internal import FlightRecord

/// Gathers what is known of a message: from what the question names to queue ids, from queue id to
/// queue id where the message was handed over on this host, and to refusals that never had one.
package struct StoryFinder {
    /// What is asked for.
    package struct Question: Hashable, Sendable {
        /// A queue id, a Message-ID, the next host's id, an address, or a client's address.
        package let text: String
        /// The time near which it was, in microseconds since 1970; nil for any.
        package let near: Int64?

        /// Asks.
        package init(_ text: String, near: Int64? = nil) {
            let isBracketed = text.hasPrefix("<") && text.hasSuffix(">")
            self.text = isBracketed ? String(text.dropFirst().dropLast()) : text
            self.near = near
        }
    }

    private let evidence: any Evidence

    /// The most queue ids that are followed, of those that a question names the newest.
    static let mostIDs = 50
    /// The most lines and entries that are looked at to find them: the newest.
    private static let mostLines = 5_000
    private static let mostEntries = 1_000
    /// How far from the time that is named a message may lie, in microseconds.
    private static let nearness: Int64 = 600_000_000
    /// How long before a message's end a question about its recipients may lie, in microseconds.
    private static let envelopeSpan: Int64 = 600_000_000

    /// Looks in some evidence.
    package init(_ evidence: any Evidence) { self.evidence = evidence }

    /// The stories of the messages that the question may mean, the newest last; of many the newest.
    package func stories(of question: Question) -> [MessageStory] {
        let span = question.near.map { $0 - Self.nearness...$0 + Self.nearness }
        let lines = evidence.lines(
            with: [question.text], in: span, limit: Self.mostLines, until: { _, _ in false })
        let handovers = handovers(in: lines, question)
        let entries = evidence.entries(
            with: [question.text], FlightScope(handovers ?? span.map { [$0] }),
            limit: Self.mostEntries)
        var places: [Place] = []
        for line in lines where names(line, question) && isNear(line.time, question) {
            if let id = line.queueID { places.append(Place(id: id, time: line.time)) }
        }
        var loose: [FlightEntry] = []
        let forms = evidence.forms(of: question.text)
        for entry in entries where names(entry, forms) && isNear(entry.time, question) {
            if let id = entry[.queueID] {
                places.append(Place(id: id, time: entry.time))
            } else {
                loose.append(entry)
            }
        }
        // The newest first, until there are enough.
        places.sort { $0.time > $1.time }
        var material = StoryMaterial(evidence)
        if handovers != nil, span == nil, lines.count < Self.mostLines {
            material.know(question.text, lines)
        }
        material.gather(Self.newest(places).map { ($0.id, $0.time) })
        var stories: [MessageStory] = []
        var told: Set<QueueLife> = []
        for place in places where stories.count < Self.mostIDs {
            guard !told.contains(where: { $0.id == place.id && $0.span.contains(place.time) })
            else { continue }
            let (story, lives) = Self.story(of: place, &material)
            told.formUnion(lives)
            stories.append(story)
        }
        loose = Self.joining(loose, to: &stories)
        let joined = Set(stories.flatMap(\.entries))
        let refusals = lines.filter {
            $0.queueID == nil && names($0, question) && isNear($0.time, question)
        }
        stories += Refusals(refusals).stories(with: loose.filter { !joined.contains($0) })
        return stories.sorted { $0.time < $1.time }
    }

    /// When messages were handed over under the name that is asked for, if it is nothing but the next host's name for them; nil otherwise.
    ///
    /// The records have such a name only where the next host is this one, and then from those moments: there is no need to look through
    /// all of them.
    private func handovers(
        in lines: [MailLogLine], _ question: Question
    ) -> [ClosedRange<Int64>]? {
        // An address or a login that a next host gives as its name hides nothing.
        guard MailLogLine.isQueueID(question.text[...]) else { return nil }
        var spans: [ClosedRange<Int64>] = []
        for line in lines where names(line, question) {
            guard line.queueID != question.text, case .delivery(let delivery) = PostfixEvent(line),
                delivery.nextID == question.text
            else { return nil }
            spans.append(QueueLife.reach(of: line.time...line.time))
        }
        return spans.isEmpty ? nil : spans
    }

    /// Whether a line speaks of what is asked for, and does not only quote it.
    private func names(_ line: MailLogLine, _ question: Question) -> Bool {
        let text = question.text
        if line.queueID == text { return true }
        switch PostfixEvent(line) {
        case .messageID(let id): return id == text
        case .delivery(let delivery):
            return delivery.nextID == text || Self.isSame(delivery.recipient, text)
                || delivery.original.map { Self.isSame($0, text) } == true
        case .from(let sender): return Self.isSame(sender, text)
        case .begin(let client, let login):
            return client.hasSuffix("[\(text)]") || login == text
        case .refusal(let refusal):
            return refusal.client.hasSuffix("[\(text)]")
                || [refusal.sender, refusal.recipient].compactMap(\.self)
                    .contains { Self.isSame($0, text) }
        case .hold, .release, .bounce, .deletion, .removed, nil: return false
        }
    }

    private func names(_ entry: FlightEntry, _ forms: Set<String>) -> Bool {
        entry.items.contains { item in
            switch item.key {
            case .queueID, .messageID, .clientAddress, .login: forms.contains(item.text)
            case .sender, .recipient:
                forms.contains { Self.isSame($0, item.text) || item.text.hasPrefix("\($0)@") }
            default: false
            }
        }
    }

    private func isNear(_ time: Int64, _ question: Question) -> Bool {
        guard let near = question.near else { return true }
        return time >= near - Self.nearness && time <= near + Self.nearness
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.lowercased() == right.lowercased()
    }

    /// Gives the entries of messages that ended early, which had no queue id when the daemons last heard of them, to the stories of
    /// which the log has nothing but that their client began.
    ///
    /// - Returns: the entries that are left.
    private static func joining(
        _ loose: [FlightEntry], to stories: inout [MessageStory]
    ) -> [FlightEntry] {
        var left = loose
        for attempt in EndedAttempts(loose).all {
            guard let end = attempt.last, end[.verdict] == FlightVerdict.aborted.rawValue,
                let address = end[.clientAddress],
                let index = stories.firstIndex(where: { story in
                    story.isOnlyBegun(by: address)
                        && abs(story.time - end.time) <= StoryFinder.envelopeSpan
                })
            else { continue }
            let story = stories[index]
            stories[index] = MessageStory(
                queueIDs: story.queueIDs, entries: attempt, lines: story.lines)
            left.removeAll { attempt.contains($0) }
        }
        return left
    }

    // MARK: One message

    /// A queue id at a time: at others it may be another message's.
    private struct Place: Hashable {
        let id: String
        /// In microseconds since 1970.
        let time: Int64
    }

    /// The first of some places that name as many queue ids as are followed.
    private static func newest(_ places: [Place]) -> [Place] {
        var ids: Set<String> = []
        return places.filter { place in
            if ids.count < mostIDs { ids.insert(place.id) }
            return ids.contains(place.id)
        }
    }

    /// The story of a queue id, and of those that the message had before and after on this host.
    private static func story(
        of first: Place, _ material: inout StoryMaterial
    ) -> (MessageStory, lives: [QueueLife]) {
        var places = [first]
        var lives: [QueueLife] = []
        var lines: [MailLogLine] = []
        var entries: [FlightEntry] = []
        var next = 0
        while next < places.count, places.count < mostIDs {
            let place = places[next]
            next += 1
            let found = material.lines(naming: place.id, at: place.time)
            let life = material.life(of: place.id, at: place.time)
            lives.append(life)
            let mine = found.filter { life.span.contains($0.time) }
            lines += mine.filter { $0.queueID == place.id }
            entries += material.entries(of: place.id, in: life.span)
            for other in neighbours(of: place.id, in: mine, &material)
            where !places.contains(where: { $0.id == other.id }) {
                places.append(other)
            }
        }
        entries += earlier(entries, material)
        let story = MessageStory(
            queueIDs: places.map(\.id), entries: entries, lines: lines,
            isCut: places.contains { material.isCut($0.id) })
        return (story, lives)
    }

    /// The queue ids that the same message has, or has had, on this host.
    private static func neighbours(
        of id: String, in lines: [MailLogLine], _ material: inout StoryMaterial
    ) -> [Place] {
        var found: [Place] = []
        var nexts: [Place] = []
        for line in lines {
            guard let event = PostfixEvent(line) else { continue }
            switch event {
            case .delivery(let delivery) where line.queueID == id:
                if let next = delivery.nextID, nexts.count < StoryMaterial.mostNeighbours,
                    !nexts.contains(where: { $0.id == next })
                {
                    nexts.append(Place(id: next, time: line.time))
                }
            case .delivery(let delivery) where delivery.nextID == id:
                if let before = line.queueID { found.append(Place(id: before, time: line.time)) }
            case .bounce(let notification) where line.queueID == id:
                found.append(Place(id: notification, time: line.time))
            case .bounce(id):
                if let before = line.queueID { found.append(Place(id: before, time: line.time)) }
            default: break
            }
        }
        // Only what this host has in its own log was handed over on this host.
        return found + nexts.filter { material.life(of: $0.id, at: $0.time).isLogged }
    }

    /// When the recipients of a message may have been asked about.
    static func envelope(before time: Int64) -> ClosedRange<Int64> { time - envelopeSpan...time }

    /// What was asked about the recipients before there was a queue id: the same client, envelope and
    /// time.
    private static func earlier(
        _ entries: [FlightEntry], _ material: StoryMaterial
    ) -> [FlightEntry] {
        guard let anchor = entries.first(where: { $0[.clientAddress] != nil }),
            let client = anchor[.clientAddress]
        else { return [] }
        let sender = entries.compactMap { $0[.sender] }.first
        return material.questions(from: client, in: envelope(before: anchor.time)).filter { entry in
            sender == nil || entry[.sender] == nil || entry[.sender] == sender
        }
    }
}
