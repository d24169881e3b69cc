/// A server's answer to an SMTP command.
public struct SMTPReply: Sendable, Equatable, CustomStringConvertible {
    /// The three digits.
    public let code: Int
    /// The text of each line, without code and line end.
    public let lines: [String]

    /// Whether the code is 2xx or 3xx.
    public var isPositive: Bool { code >= 200 && code < 400 }

    /// The lines as they were sent.
    public var description: String {
        lines.map { "\(code) \($0)" }.joined(separator: "\n")
    }
}
