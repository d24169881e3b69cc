internal import MailSyntax

/// The fields that a message needs to be a message, and how far rules reach them.
///
/// `Remove *` then leaves a message that can be read, answered and filed, and no rule at all makes one without an author.
enum ProtectedFields {
    /// Whether no rule may remove the field: RFC 5322, section 3.6, requires it, the body cannot be read without it
    /// (RFC 2045), or it is a signature.
    static func isEssential(_ name: Span<UInt8>) -> Bool {
        essential.contains(name)
    }

    /// Whether only a rule that spells the name in full removes the field: it has a meaning of its own for the recipient.
    static func isStandard(_ name: Span<UInt8>) -> Bool {
        essential.contains(name) || standard.contains(name)
    }

    private static let essential = NameTable(
        ["From", "Date", "MIME-Version", "DKIM-Signature"], prefixes: ["Content-", "ARC-"])

    private static let standard = NameTable(
        [
            "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Message-ID", "In-Reply-To",
            "References", "Comments", "Keywords", "Return-Path", "Received", "Auto-Submitted",
            "Precedence", "Importance", "Priority", "X-Priority", "Disposition-Notification-To",
            "Autocrypt", "Thread-Topic", "Thread-Index", "Archived-At", "Expires", "Language",
            "Organization", "TLS-Required", "Require-Recipient-Valid-Since",
            "Authentication-Results",
        ], prefixes: ["Resent-", "List-"])
}

/// Names of fields, without regard to case, found by their heads.
private struct NameTable: Sendable {
    private let names: [NameHead: [[UInt8]]]
    private let prefixes: [NameHead]

    /// Makes a table of names, and of the first letters of others: eight at most.
    init(_ names: [String], prefixes: [String]) {
        self.names = Dictionary(grouping: names.map { Array($0.utf8) }) { NameHead($0.span) }
        self.prefixes = prefixes.map { NameHead(Array($0.utf8).span) }
    }

    func contains(_ name: Span<UInt8>) -> Bool {
        let head = NameHead(name)
        if prefixes.contains(where: { $0.canBegin(head) }) { return true }
        guard let candidates = names[head] else { return false }
        for candidate in candidates where candidate.span.equalsIgnoringASCIICase(name) {
            return true
        }
        return false
    }
}
