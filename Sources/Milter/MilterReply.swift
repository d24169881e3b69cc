/// A session's answer to an event.
public enum MilterReply: Sendable, Equatable {
    /// Go on.
    case `continue`
    /// Take the message (at connect and HELO: all of the connection's) without looking further.
    case accept
    /// Pretend to take the message, and drop it.
    case discard
    /// Refuse for now; at RCPT only that recipient.
    case tempfail
    /// Refuse for good; at RCPT only that recipient.
    case reject
    /// Refuse with a code and text of our own.
    case reply(SMTPReply)
    /// Send no more events of this kind for this message (header, recipient, body).
    case skip

    /// Whether the answer ends the message that is under way.
    package func endsMessage(at event: MilterEvents) -> Bool {
        switch self {
        case .continue, .skip: false
        case .accept, .discard: true
        case .tempfail, .reject, .reply: event != .recipient
        }
    }
}

/// A refusal with a reply code and text of our own (RFC 5321, section 4.2).
///
/// Trust: the text may quote strangers (a DNS record, say); whatever it holds, the reply is well
/// formed.
public struct SMTPReply: Sendable, Equatable {
    /// The reply code, 400 to 599.
    public let code: Int
    /// The enhanced status code (RFC 3463), "5.7.1".
    public let enhancedCode: String?
    /// The lines of text: printable ASCII, one to 32 lines.
    public let lines: [String]

    // RFC 5321, section 4.5.3.1.5: a reply line has 512 octets with code and CRLF.
    private static let maximumLineLength = 490
    private static let maximumLines = 32  // smfi_setmlreply's limit, MAXREPLIES

    /// Makes a well-formed reply of what is given.
    ///
    /// - Parameters:
    ///   - code: The reply code. One that is not 4xx or 5xx becomes 451: a slip must not accept.
    ///   - enhancedCode: The enhanced status code; left out if it does not fit the reply code.
    ///   - text: The text; line ends divide it, other octets than printable ASCII become "?",
    ///     long lines and lines beyond the 32nd are cut.
    public init(code: Int, enhancedCode: String? = nil, text: String) {
        let code = (400...599).contains(code) ? code : 451
        self.code = code
        self.enhancedCode = enhancedCode.flatMap {
            Self.isEnhancedCode($0, class: code / 100) ? $0 : nil
        }
        var lines: [String] = []
        for line in text.utf8.split(whereSeparator: { $0 == 10 || $0 == 13 })
            .prefix(Self.maximumLines)
        {
            let printable = line.prefix(Self.maximumLineLength).map {
                (32...126).contains($0) ? $0 : UInt8(ascii: "?")
            }
            lines.append(String(decoding: printable, as: UTF8.self))
        }
        self.lines = lines.isEmpty ? ["Refused"] : lines
    }

    /// RFC 3463, section 2: class "." subject "." detail, subject and detail of one to three digits.
    private static func isEnhancedCode(_ text: String, class: Int) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("\(`class`)".utf8) else { return false }
        return parts.dropFirst().allSatisfy { part in
            (1...3).contains(part.count) && part.allSatisfy { (48...57).contains($0) }
        }
    }

    /// The lines as the milter protocol wants them: the MTA reads "%%" as "%".
    package var escapedLines: [String] {
        lines.map { line in
            guard line.utf8.contains(UInt8(ascii: "%")) else { return line }
            return line.split(separator: "%", omittingEmptySubsequences: false)
                .joined(separator: "%%")
        }
    }
}
