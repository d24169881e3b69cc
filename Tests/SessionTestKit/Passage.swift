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

    /// Makes the edits of a verdict.
    public init(_ verdict: MilterVerdict, _ original: MailMessage, log: [String]) {
        self.verdict = verdict
        self.log = log
        var message = original
        for edit in verdict.edits {
            switch edit {
            case .insertHeader(let index, let name, let value):
                var field = MailMessage.Field(name, "")
                field.value = value
                message.fields.insert(field, at: index)
            case .deleteHeader(let name, let occurrence):
                let places = message.fields.indices.filter {
                    message.fields[$0].name.lowercased() == name.lowercased()
                }
                message.fields.remove(at: places[occurrence - 1])
            default: break
            }
        }
        self.message = message
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
