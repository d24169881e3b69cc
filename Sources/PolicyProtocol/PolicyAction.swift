internal import MailSyntax

/// What Postfix is told to do (access(5)).
package enum PolicyAction: Hashable, Sendable {
    /// Nothing: the next restriction decides.
    case dunno
    /// Add a header field above the message; its value is on one line.
    case prepend(field: String, value: String)
    /// Refuse for good: code, enhanced code and text.
    case reject(String)
    /// Refuse for now, unless another restriction refuses for good: enhanced code and text.
    case `defer`(String)
    /// What the configuration names: a restriction class, or any action.
    case restriction(String)

    /// The most octets of an answer; Postfix reads lines of 2,048.
    package static let longestLine = 2_000

    /// The action as access(5) writes it, on one line: of printable ASCII, and in header
    /// fields of UTF-8 (RFC 6532).
    package var text: String {
        switch self {
        case .dunno: "DUNNO"
        case .prepend(let field, let value):
            PrintableText.visibleBeginning(
                of: "PREPEND \(field): \(value)", limit: Self.longestLine)
        case .reject(let text): Self.line(text)
        case .defer(let text): Self.line("defer_if_permit \(text)")
        case .restriction(let text): Self.line(text)
        }
    }

    /// Appends the answer as it is sent.
    package func append(to output: inout [UInt8]) {
        output += "action=".utf8
        if case .prepend(let field, let value) = self,
            "PREPEND : ".utf8.count + field.utf8.count + value.utf8.count <= Self.longestLine,
            field.utf8.span.isPrintableASCII, value.utf8.span.isPrintableASCII
        {
            // Nearly every answer: nothing to be cut or replaced, as `text` may have to.
            output += "PREPEND ".utf8
            output += field.utf8
            output += ": ".utf8
            output += value.utf8
        } else {
            output += text.utf8
        }
        output += "\n\n".utf8
    }

    private static func line(_ text: String) -> String {
        PrintableText.beginning(of: text, limit: longestLine)
    }
}
