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

    /// The facts, in lines of printable ASCII with a line feed after each.
    package var lines: [UInt8] {
        var lines = EvidenceLines()
        lines.add("client") {
            $0.field(hostName)
            $0.field(address ?? "")
        }
        lines.add("helo") { $0.field(helo) }
        lines.add("times") {
            $0.field(word: "\(received)")
            $0.field(word: EvidenceText.microseconds(ended))
        }
        lines.add("edits") {
            $0.field(word: "\(edits)")
            $0.field(word: hasLeadingSpace ? "1" : "0")
        }
        if let sender { lines.add("from") { $0.field(sender) } }
        for recipient in recipients { lines.add("to") { $0.field(recipient) } }
        for (name, value) in macros.sorted(by: { $0.key < $1.key }) {
            lines.add("macro") {
                $0.field(name)
                $0.field(value)
            }
        }
        for field in fields {
            lines.add("field") {
                $0.field(field.name)
                $0.field(field.value)
            }
        }
        for statement in statements { Self.add(statement, to: &lines) }
        for question in questions { RecordedQuestion.add(question, to: &lines) }
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            lines.add("attribute") {
                $0.field(name)
                $0.field(value)
            }
        }
        if let omission { lines.add("omission") { $0.field(omission) } }
        if asksAgain { lines.add("again") }
        return lines.octets
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

    private static func add(_ statement: MessageWitness.Statement, to lines: inout EvidenceLines) {
        lines.add("signed") {
            $0.field(word: "\(statement.position)")
            $0.field(word: "\(statement.bodyLength)")
            $0.field(word: Hex.encode(statement.bodyHash))
            $0.field(word: Hex.encode(statement.headerHash))
            $0.field(statement.fieldWithNUL ?? "")
            $0.field(statement.changedField ?? "")
        }
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
