public import Milter
public import TestKit

/// What became of a message that a test has passed through a milter's session.
public struct Passage {
    /// What the session answered at end of message.
    public let verdict: MilterVerdict
    /// The message with the edits made.
    public let message: MailMessage
    /// The lines that were logged.
    public let log: [String]

    /// Makes the edits of a verdict, as Postfix makes them.
    public init(_ verdict: MilterVerdict, _ original: MailMessage, log: [String]) {
        self.verdict = verdict
        self.log = log
        var message = original
        for edit in verdict.edits {
            switch edit {
            case .insertHeader(let index, let name, let value):
                message.fields.insert(
                    Self.field(name, value), at: min(index, message.fields.count))
            case .addHeader(let name, let value):
                message.fields.append(Self.field(name, value))
            case .changeHeader(let name, let occurrence, let value):
                // Postfix appends where there is no such field.
                if let place = Self.place(of: name, occurrence, in: message) {
                    message.fields[place].value = value
                } else {
                    message.fields.append(Self.field(name, value))
                }
            case .deleteHeader(let name, let occurrence):
                if let place = Self.place(of: name, occurrence, in: message) {
                    message.fields.remove(at: place)
                }
            // The envelope and the queue: the tests look at the verdict itself.
            case .quarantine, .addRecipient, .deleteRecipient, .changeSender: break
            }
        }
        self.message = message
    }

    private static func field(_ name: String, _ value: [UInt8]) -> MailMessage.Field {
        var field = MailMessage.Field(name, "")
        field.value = value
        return field
    }

    /// Where the nth field of a name stands, counting from 1.
    private static func place(
        of name: String, _ occurrence: Int, in message: MailMessage
    ) -> Int? {
        let places = message.fields.indices.filter {
            message.fields[$0].name.lowercased() == name.lowercased()
        }
        return places.indices.contains(occurrence - 1) ? places[occurrence - 1] : nil
    }

    /// The Authentication-Results fields, each on one line.
    public var results: [String] {
        message.values("Authentication-Results").map { value in
            value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// The reason for putting the message on hold.
    public var quarantine: String? {
        for case .quarantine(let reason) in verdict.edits { return reason }
        return nil
    }

    /// Whether a line with this text was logged.
    public func logs(_ text: String) -> Bool { log.contains { $0.contains(text) } }
}
