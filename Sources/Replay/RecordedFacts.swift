package import MailAuth
package import MailDNS
internal import MailSyntax

/// What a daemon knew of a message when it decided, as far as the decision rests on it: enough to
/// decide again.
///
/// Trust: it is read from a file of a daemon's, which strangers' mail has filled; what does not read is
/// left out, and what is missing is told by those who would have needed it.
package struct RecordedFacts: Hashable, Sendable {
    /// The client's name as the MTA gave it.
    package var hostName = ""
    /// The client's address.
    package var address: String?
    /// HELO.
    package var helo: [UInt8] = []
    /// MAIL FROM, as it came; nil where it was not heard.
    package var sender: [UInt8]?
    /// RCPT TO, as they came.
    package var recipients: [[UInt8]] = []
    /// The MTA's macros.
    package var macros: [String: String] = [:]
    /// The edits that the MTA had granted, as the milter protocol numbers them.
    package var edits: UInt32 = 0
    /// Whether header values came with their leading space.
    package var hasLeadingSpace = true
    /// When the message was received, in seconds since 1970.
    package var received: Int64 = 0
    /// When the daemon had decided, in seconds since the first question could be asked.
    package var ended = 0.0
    /// The header section, abridged.
    package var fields: [AbridgedHeader.Field] = []
    /// What the signatures cover.
    package var statements: [MessageWitness.Statement] = []
    /// What was asked of the DNS, and answered.
    package var questions: [RecordingResolver.Entry] = []
    /// The attributes of a question of Postfix's policy protocol.
    package var attributes: [String: [UInt8]] = [:]
    /// Why there is no more than this.
    package var omission: String?
    /// Whether the DNS of today is to be asked, and not that of then.
    package var asksAgain = false

    /// Nothing is known.
    package init() {}

    // MARK: Facts of a record

    /// The facts, a text each.
    package var texts: [String] {
        var texts = [
            EvidenceText.fact("client", [Self.text(hostName), Self.text(address ?? "")]),
            EvidenceText.fact("helo", [EvidenceText.escaped(helo)]),
            EvidenceText.fact("times", ["\(received)", EvidenceText.microseconds(ended)]),
            EvidenceText.fact("edits", ["\(edits)", hasLeadingSpace ? "1" : "0"]),
        ]
        if let sender { texts.append(EvidenceText.fact("from", [EvidenceText.escaped(sender)])) }
        texts += recipients.map { EvidenceText.fact("to", [EvidenceText.escaped($0)]) }
        texts += macros.sorted { $0.key < $1.key }.map {
            EvidenceText.fact("macro", [Self.text($0.key), Self.text($0.value)])
        }
        texts += fields.map {
            EvidenceText.fact(
                "field", [EvidenceText.escaped($0.name), EvidenceText.escaped($0.value)])
        }
        texts += statements.map(Self.fact)
        texts += questions.map(RecordedQuestion.fact)
        texts += attributes.sorted { $0.key < $1.key }.map {
            EvidenceText.fact("attribute", [Self.text($0.key), EvidenceText.escaped($0.value)])
        }
        if let omission { texts.append(EvidenceText.fact("omission", [Self.text(omission)])) }
        if asksAgain { texts.append(EvidenceText.fact("again", [])) }
        return texts
    }

    /// Reads facts; nil where there are none.
    package init?(_ texts: [String]) {
        guard !texts.isEmpty else { return nil }
        for text in texts { take(EvidenceText.fields(text)) }
    }

    private mutating func take(_ fields: [Substring]) {
        let values = fields.dropFirst().map { EvidenceText.octets($0) ?? [] }
        let texts = values.map { String(decoding: $0, as: UTF8.self) }
        switch (fields.first, values.count) {
        case ("client", 2): (hostName, address) = (texts[0], texts[1].isEmpty ? nil : texts[1])
        case ("helo", 1): helo = values[0]
        case ("times", 2):
            received = Int64(texts[0]) ?? 0
            ended = Double(Int64(texts[1]) ?? 0) / 1e6
        case ("edits", 2): (edits, hasLeadingSpace) = (UInt32(texts[0]) ?? 0, texts[1] == "1")
        case ("from", 1): sender = values[0]
        case ("to", 1): recipients.append(values[0])
        case ("macro", 2): macros[texts[0]] = texts[1]
        case ("field", 2):
            self.fields.append(AbridgedHeader.Field(name: values[0], value: values[1]))
        case ("signed", 6): Self.statement(texts).map { statements.append($0) }
        case ("dns", _): RecordedQuestion.entry(fields).map { questions.append($0) }
        case ("attribute", 2): attributes[texts[0]] = values[1]
        case ("omission", 1): omission = texts[0]
        case ("again", 0): asksAgain = true
        default: break
        }
    }

    private static func text(_ text: String) -> String { EvidenceText.escaped(text.utf8) }

    private static func fact(_ statement: MessageWitness.Statement) -> String {
        EvidenceText.fact(
            "signed",
            [
                "\(statement.position)", "\(statement.bodyLength)", Hex.encode(statement.bodyHash),
                Hex.encode(statement.headerHash), text(statement.fieldWithNUL ?? ""),
                text(statement.changedField ?? ""),
            ])
    }

    private static func statement(_ texts: [String]) -> MessageWitness.Statement? {
        guard let position = Int(texts[0]), let length = UInt64(texts[1]),
            let body = Hex.decode(texts[2]), let header = Hex.decode(texts[3])
        else { return nil }
        return MessageWitness.Statement(
            position: position, bodyHash: body, bodyLength: length, headerHash: header,
            fieldWithNUL: texts[4].isEmpty ? nil : texts[4],
            changedField: texts[5].isEmpty ? nil : texts[5])
    }
}
