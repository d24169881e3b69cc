public import Milter

/// What can happen to a message, as the directives name it.
public enum MilterAction: String, Sendable {
    /// It goes on.
    case accept
    /// The client is told that it goes on, and it does not.
    case discard
    /// It is put on hold.
    case quarantine
    /// It is refused for good.
    case reject
    /// It is refused for now.
    case tempfail
}

/// A refusal in words, with its subject and detail of an enhanced status code (RFC 3463; RFC 7372, section 3).
public struct Refusal: Sendable {
    /// The part after the first digit: `7.20`.
    public let detail: String
    /// What the client is told.
    public let text: String

    /// Makes a refusal.
    ///
    /// - Parameters:
    ///   - detail: the subject and the detail of the code: `7.20`.
    ///   - text: what the client is told.
    public init(detail: String, text: String) {
        self.detail = detail
        self.text = text
    }

    /// The refusal for good.
    public var permanent: SMTPReply {
        SMTPReply(code: 550, enhancedCode: "5.\(detail)", text: text)
    }
    /// The refusal for now.
    public var temporary: SMTPReply {
        SMTPReply(code: 451, enhancedCode: "4.\(detail)", text: text)
    }
}
