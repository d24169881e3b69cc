internal import Foundation

/// One connection of a `FakeMTA` to a filter.
public final class MTAConnection {
    /// What the filter agreed to.
    public struct Agreement: Sendable, Equatable {
        /// The protocol version.
        public var version: UInt32 = 0
        /// The actions (SMFIF) that the filter may take.
        public var actions: UInt32 = 0
        /// The protocol bits (SMFIP) in force.
        public var options: UInt32 = 0
        /// The macros that the filter asked for, by stage (SMFIM).
        public var macroLists: [UInt32: String] = [:]
    }

    /// The stream, for tests that write frames of their own.
    public let stream: StreamSocket
    /// What the filter agreed to.
    public private(set) var agreement = Agreement()
    private let mta: FakeMTA
    private var hasGreeted = false
    /// A decision about the whole connection, made at connect or HELO.
    private var standingDecision: Outcome.Decision?

    init(_ mta: FakeMTA) throws {
        self.mta = mta
        stream = try StreamSocket(
            mta.address, timeout: mta.timeout, cutAfter: mta.cutAfter, pieceSize: mta.pieceSize)
        try write(
            "O",
            [mta.version, mta.actions, mta.options].flatMap { MilterWire.number($0) })
        let (command, data) = try readFrame()
        guard command == "O", data.count >= 12 else {
            throw MTAError.unexpectedReply(command, to: "O")
        }
        agreement.version = MilterWire.number(at: 0, of: data)
        agreement.actions = MilterWire.number(at: 4, of: data)
        agreement.options = MilterWire.number(at: 8, of: data)
        var offset = 12
        while offset + 4 < data.count {
            let names = data.dropFirst(offset + 4).prefix { $0 != 0 }
            agreement.macroLists[MilterWire.number(at: offset, of: data)] =
                String(decoding: names, as: UTF8.self)
            offset += 4 + names.count + 1
        }
        guard agreement.version <= mta.version else {
            throw MTAError.badNegotiation("version \(agreement.version)")
        }
        guard agreement.actions & ~mta.actions == 0, agreement.options & ~mta.options == 0 else {
            throw MTAError.badNegotiation("bits that were not offered")
        }
    }

    // MARK: - Messages

    /// Delivers a message: greets the filter if that is still to be done, then envelope, message,
    /// end of message and the two ABORTs that Postfix sends.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - envelope: The client and the envelope.
    /// - Returns: What became of the message.
    /// - Throws: `StreamError`, or `MTAError` if the filter breaks the protocol.
    public func deliver(_ message: MailMessage, _ envelope: Envelope = Envelope()) throws -> Outcome
    {
        var queued = QueuedMessage(
            message, prepended: envelope.prepended, ownReceived: mta.ownReceived)
        var outcome = Outcome(message: message, sender: envelope.mail[0])
        if let end = try transact(&queued, envelope, &outcome) {
            outcome.decision = end.decision
            outcome.decidedAt = end.command
        }
        outcome.message = queued.message
        try abort()
        try abort()
        return outcome
    }

    /// Cancels the message under way.
    public func abort() throws {
        guard standingDecision == nil else { return }
        try write("A")
        try stream.flush()
    }

    /// Says goodbye and closes.
    public func quit() {
        try? write("Q")
        try? stream.flush()
        stream.close()
    }

    /// Closes without a word.
    public func close() {
        stream.close()
    }

    private typealias End = (command: Character, decision: Outcome.Decision)

    private func transact(
        _ queued: inout QueuedMessage, _ envelope: Envelope, _ outcome: inout Outcome
    ) throws -> End? {
        if !hasGreeted {
            hasGreeted = true
            if let decision = try greet(envelope, &outcome) {
                standingDecision = decision
            }
        }
        if let standingDecision { return ("C", standingDecision) }

        let mail = MilterWire.strings(envelope.mail)
        if let decision = try event("M", mail, envelope.macros(for: "M"), &outcome) {
            return ("M", decision)
        }
        for (index, recipient) in envelope.recipients.enumerated() {
            let macros = envelope.macros(for: "R", recipient: index)
            switch try event("R", MilterWire.strings(recipient), macros, &outcome) {
            case nil: outcome.recipients.append(recipient[0])
            case .accepted: return ("R", .accepted)
            case .discarded: return ("R", .discarded)
            case let refusal?: outcome.refusedRecipients[recipient[0]] = refusal
            }
        }
        if outcome.recipients.isEmpty { return ("R", .rejected) }
        // Protocol version 2 does not have DATA.
        if mta.options & MilterWire.bits("T").unsent != 0,
            let decision = try event("T", [], envelope.macros(for: "T"), &outcome)
        {
            return ("T", decision)
        }
        if let end = try content(queued, envelope, &outcome) { return end }
        return ("E", try endOfMessage(&queued, envelope, &outcome))
    }

    private func greet(_ envelope: Envelope, _ outcome: inout Outcome) throws -> Outcome.Decision? {
        var data = MilterWire.strings([envelope.clientName])
        if let address = envelope.clientAddress {
            data += [address.contains(":") ? UInt8(ascii: "6") : UInt8(ascii: "4")]
            data += [UInt8(envelope.clientPort >> 8), UInt8(envelope.clientPort & 255)]
            data += MilterWire.strings([address])
        } else {
            data += [UInt8(ascii: "U")]
        }
        if let decision = try event("C", data, envelope.macros(for: "C"), &outcome) {
            return decision
        }
        for name in envelope.helo {
            let macros = envelope.macros(for: "H")
            let data = MilterWire.strings([name])
            if let decision = try event("H", data, macros, &outcome) { return decision }
            try abort()
        }
        return nil
    }

    private func content(
        _ queued: QueuedMessage, _ envelope: Envelope, _ outcome: inout Outcome
    ) throws -> End? {
        var skipsHeader = false
        for field in queued.shown where !skipsHeader {
            // Without the leading-space option exactly one space is eaten.
            let eatsSpace = agreement.options & 0x10_0000 == 0 && field.value.first == 32
            let value = field.value.dropFirst(eatsSpace ? 1 : 0)
            let data = MilterWire.strings([field.name]) + value + [0]
            let decision = try event("L", data, envelope.macros(for: "L"), &outcome)
            if let decision { return ("L", decision) }
            skipsHeader = hasSkipped
        }
        if let decision = try event("N", [], envelope.macros(for: "N"), &outcome) {
            return ("N", decision)
        }
        var rest = queued.message.body[...]
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(mta.chunkSize))
            rest = rest.dropFirst(chunk.count)
            if let decision = try event("B", chunk, envelope.macros(for: "B"), &outcome) {
                return ("B", decision)
            }
            if hasSkipped { break }
        }
        return nil
    }

    // MARK: - Events

    private var hasSkipped = false

    /// Sends an event and reads the reply; nil means go on.
    ///
    /// An event that the filter does not want is not sent, a reply that it does not give is not
    /// waited for.
    private func event(
        _ command: Character, _ data: [UInt8], _ macros: [(String, String)],
        _ outcome: inout Outcome
    ) throws -> Outcome.Decision? {
        hasSkipped = false
        try writeMacros(macros, for: command)
        let bits = MilterWire.bits(command)
        guard agreement.options & bits.unsent == 0 else { return nil }
        try write(command, data)
        guard agreement.options & bits.silent == 0 else { return nil }
        let (reply, text) = try readReply()
        outcome.replies.append((command, reply))
        if reply == "s", agreement.options & 0x400 != 0 {
            hasSkipped = true
            return nil
        }
        return try decision(of: reply, text, to: command)
    }

    private func decision(
        of reply: Character, _ text: [UInt8], to command: Character
    ) throws -> Outcome.Decision? {
        switch reply {
        case "c": return nil
        case "a": return .accepted
        case "d": return .discarded
        case "t": return .tempfailed
        case "r": return .rejected
        case "y":
            // Postfix reads "%%" as "%".
            let reply = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
            return .replied(reply.replacingOccurrences(of: "%%", with: "%"))
        default: throw MTAError.unexpectedReply(reply, to: command)
        }
    }

    /// Sends end of message, makes the edits that come, and reads the final reply.
    private func endOfMessage(
        _ queued: inout QueuedMessage, _ envelope: Envelope, _ outcome: inout Outcome
    ) throws -> Outcome.Decision {
        try writeMacros(envelope.macros(for: "E"), for: "E")
        try write("E")
        var body: [UInt8]?
        while true {
            let (command, data) = try readReply()
            switch command {
            case "h", "i", "m", "q", "+", "-", "2", "e":
                outcome.edits.append((command, data))
                edit(command, data, &queued, &outcome)
            case "b":
                outcome.edits.append((command, data))
                body = (body ?? []) + data
            default:
                if let body { queued.replaceBody(with: body) }
                outcome.replies.append(("E", command))
                return try decision(of: command, data, to: "E") ?? .accepted
            }
        }
    }

    private func edit(
        _ command: Character, _ data: [UInt8], _ queued: inout QueuedMessage,
        _ outcome: inout Outcome
    ) {
        let isIndexed = command == "i" || command == "m"
        let index = Int(MilterWire.number(at: 0, of: data))
        let strings = MilterWire.strings(from: isIndexed ? 4 : 0, of: data)
        let first = strings.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let value = strings.count > 1 ? strings[1] : []
        var field = MailMessage.Field(first, agreement.options & 0x10_0000 == 0 ? " " : "")
        field.value += value
        switch command {
        case "h": queued.add(field)
        case "i": queued.insert(field, at: index)
        case "m" where value.isEmpty: queued.delete(first, occurrence: index)
        case "m": queued.change(field, occurrence: index)
        case "q": outcome.quarantine = first
        case "+", "2": outcome.recipients.append(first)
        case "-": outcome.recipients.removeAll { $0 == first }
        default: outcome.sender = first
        }
    }

    // MARK: - Frames

    /// Writes a frame; it leaves with the next reply that is waited for.
    ///
    /// - Parameters:
    ///   - command: The command letter.
    ///   - data: The data after it.
    /// - Throws: `StreamError`.
    public func write(_ command: Character, _ data: [UInt8] = []) throws {
        if let delay = mta.delays[command] {
            try stream.flush()
            Thread.sleep(forTimeInterval: delay)
        }
        stream.write(MilterWire.frame(command, data))
    }

    /// Reads a frame of the filter.
    ///
    /// - Returns: The command letter and the data after it.
    /// - Throws: `StreamError`.
    public func readFrame() throws -> (command: Character, data: [UInt8]) {
        let head = try stream.read(5)
        let length = Int(MilterWire.number(at: 0, of: head))
        let data = try stream.read(max(0, length - 1))
        return (Character(UnicodeScalar(head[4])), data)
    }

    /// Reads a frame, passing over those that only ask for patience.
    private func readReply() throws -> (Character, [UInt8]) {
        while true {
            let (command, data) = try readFrame()
            if command != "p" { return (command, data) }
        }
    }

    private func writeMacros(_ macros: [(String, String)], for command: Character) throws {
        guard !macros.isEmpty else { return }
        let data = macros.flatMap { MilterWire.strings([$0.0, $0.1]) }
        try write("D", [command.asciiValue ?? 0] + data)
    }
}
