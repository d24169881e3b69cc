/// What one daemon knew and did at the end of one message, or at one question about it.
///
/// The texts are those of the daemon's log where it has some: nothing of the body, and no Subject.
package struct FlightEntry: Hashable, Sendable {
    /// One fact.
    package struct Item: Hashable, Sendable {
        /// What it is about.
        package let key: FlightKey
        /// What is known, as it stands in the entry.
        let octets: ArraySlice<UInt8>
        /// What is known.
        package var text: String { String(decoding: octets, as: UTF8.self) }
    }

    /// Who tells.
    package let daemon: FlightDaemon
    /// When the daemon decided, in microseconds since 1970.
    package var time: Int64
    /// The facts, in the order in which they came up.
    private(set) var facts = FlightFacts()

    /// The most facts of an entry; how many recipients and signatures there are is for strangers to say.
    static let mostItems = 200
    /// The longest fact, in octets of UTF-8.
    static let longestText = 1_000

    /// The reason of an answer that is the one to an earlier question about the message.
    package static let repeated = "as for the message's first recipient"

    /// An entry without facts.
    ///
    /// - Parameters:
    ///   - daemon: who tells.
    ///   - time: when the daemon decided, in microseconds since 1970.
    package init(_ daemon: FlightDaemon, time: Int64) {
        self.daemon = daemon
        self.time = time
    }

    /// Takes facts out of a file.
    init(_ daemon: FlightDaemon, time: Int64, facts: FlightFacts) {
        (self.daemon, self.time, self.facts) = (daemon, time, facts)
    }

    /// The facts, in the order in which they came up.
    package var items: [Item] { Array(facts) }

    /// Adds a fact, cut where it is too long; nothing where there is none, or no room.
    package mutating func add(_ key: FlightKey, _ text: String?) {
        guard let text, !text.isEmpty, facts.count < Self.mostItems else { return }
        facts.append(key, text, atMost: Self.longestText)
    }

    /// The first fact of a kind.
    package subscript(key: FlightKey) -> String? { facts.first { $0.key == key }?.text }

    /// All facts of a kind, in order.
    package func all(_ key: FlightKey) -> [String] {
        facts.compactMap { $0.key == key ? $0.text : nil }
    }

    /// The most octets of evidence of one entry: with all other facts it fits in a frame.
    package static let longestEvidence = 60_000

    /// Adds what an evaluation needs to be repeated: all of it, or nothing where it is too much.
    ///
    /// - Parameter lines: facts in UTF-8, each with a line feed after it.
    /// - Returns: whether there was room.
    package mutating func add(evidence lines: [UInt8]) -> Bool {
        facts.append(.evidence, lines: lines, atMost: Self.longestEvidence)
    }

    /// The entry with other texts; a fact whose text is nil is left out.
    func mapped(_ change: (Item) -> String?) -> FlightEntry {
        var entry = FlightEntry(daemon, time: time)
        for item in facts { entry.add(item.key, change(item)) }
        return entry
    }
}

/// The daemons that keep a record.
package enum FlightDaemon: UInt8, CaseIterable, Sendable {
    case scrub = 1
    case dkim
    case dmarc
    case spf

    /// The short name, as in the configuration's file.
    package var shortName: String {
        switch self {
        case .scrub: "scrub"
        case .dkim: "dkim"
        case .dmarc: "dmarc"
        case .spf: "spf"
        }
    }

    /// The program's name.
    package var name: String { "signet-\(shortName)" }
}

/// What a fact is about.
///
/// The numbers are those of the files: they are never given to something else.
package enum FlightKey: UInt8, CaseIterable, Sendable {
    /// The MTA's name for the message.
    case queueID = 1
    /// The value of Message-ID, without angle brackets.
    case messageID = 2
    /// The client's address.
    case clientAddress = 3
    /// The client's name, as the MTA has verified it.
    case clientName = 4
    /// What the client said in HELO or EHLO.
    case helo = 5
    /// The TLS version of the client's connection.
    case tls = 6
    /// The login of an authenticated client.
    case login = 7
    /// The MTA's listener, `{daemon_name}`.
    case listener = 8
    /// The reverse-path; `<>` for the null one.
    case sender = 9
    /// A recipient.
    case recipient = 10
    /// A domain of the From field.
    case author = 11
    /// A signature that was seen or made: `d=example.org s=mail a=rsa-sha256: pass`.
    case signature = 12
    /// A question to the DNS and its answer.
    case question = 13
    /// Which reading of the configuration held: a number that counts from the daemon's start.
    case generation = 14
    /// The place in the configuration that decided: `signing.table:7 covers *@example.org only`.
    case rule = 15
    /// A step and how long it took: `dns 0.012`.
    case step = 16
    /// What was done, in a word: ``FlightVerdict``.
    case verdict = 17
    /// Why, in the words of the log.
    case reason = 18
    /// A result of a method: `spf=pass example.org`.
    case result = 19
    /// A change of the message: `insert Authentication-Results`.
    case edit = 20
    /// What the client was told.
    case reply = 21
    /// The stage at which the MTA asked: `RCPT`.
    case stage = 22
    /// What is done although the words of the record ask for something else, and why.
    case override = 23
    /// What an evaluation needs to be repeated: read by programs.
    case evidence = 24
    /// What would have to be known to take a decision again, and is not; never in a file.
    case unknown = 25
    /// What would have been done in the place of another filter: `insert DKIM-Signature at 0`.
    case shadow = 26
    /// How that differs from what the other filter did: what, "; ", and about whom.
    case difference = 27
}

/// What was done with a message, in a word.
package enum FlightVerdict: String, CaseIterable, Sendable {
    /// It was signed.
    case signed
    /// It was to be signed, or could have been, and was not.
    case unsigned
    /// It was evaluated and goes on.
    case passed
    /// It was not looked at.
    case ignored
    /// Header fields were removed or rewritten.
    case scrubbed
    /// It is marked as suspicious, and goes on.
    case marked
    /// It is on hold.
    case held
    /// It was refused for good.
    case refused
    /// It was refused for now.
    case deferred
    /// The client was told that it goes on, and it does not.
    case discarded
    /// It ended before it was complete, so that nothing was decided about it.
    case aborted
    /// Nothing was done: what another filter did with it was compared with what would have been.
    case compared
}
