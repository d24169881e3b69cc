internal import MailSyntax

/// The fields that a message needs to be a message, and how far rules reach them.
///
/// `Remove *` then leaves a message that can be read, answered and filed, and no rule at all makes one without an author.
enum ProtectedFields {
    /// Whether no rule may remove the field: RFC 5322, section 3.6, requires it, the body cannot be read without it
    /// (RFC 2045), or it is a signature.
    static func isEssential(_ name: FieldName) -> Bool {
        essential.contains(name) || prefixes.contains { name.lowercased.starts(with: $0) }
    }

    /// Whether only a rule that spells the name in full removes the field: it has a meaning of its own for the recipient.
    static func isStandard(_ name: FieldName) -> Bool {
        isEssential(name) || standard.contains(name) || name.lowercased.starts(with: resent)
            || name.lowercased.starts(with: list)
    }

    private static let essential: Set<FieldName> = [
        .from, .date, "MIME-Version", .dkimSignature,
    ]
    private static let prefixes = ["content-", "arc-"].map { Array($0.utf8) }
    private static let resent = Array("resent-".utf8)
    private static let list = Array("list-".utf8)
    private static let standard: Set<FieldName> = [
        .sender, .replyTo, .to, .cc, "Bcc", .subject, .messageID, "In-Reply-To", "References",
        "Comments", "Keywords", .returnPath, .received, "Auto-Submitted", "Precedence",
        "Importance", "Priority", "X-Priority", "Disposition-Notification-To", "Autocrypt",
        "Thread-Topic", "Thread-Index", "Archived-At", "Expires", "Language", "Organization",
        "TLS-Required", "Require-Recipient-Valid-Since", .authenticationResults,
    ]
}
