public import MailSyntax

/// What the receiving administrator decides about verification.
public struct DKIMVerifierOptions: Sendable {
    /// The most signatures that are verified; each costs a look-up and a public-key operation
    /// (RFC 6376, section 8.4).
    public var maximumSignatures = 8
    /// The least size of RSA keys, in bits; never below the 1024 of RFC 8301, section 3.2.
    public var minimumKeyBits = 1024
    /// How far clocks may differ, in seconds, before `t=` and `x=` count (RFC 6376, section 3.5).
    public var clockDrift: Int64 = 300

    /// Fields that a signature must cover where the message has them, or it does not count.
    public var mustBeSigned: [FieldName] = []

    /// Fields that a message has once at most: a signature that covers one of them, and not a second
    /// one that stands beside it, does not count (RFC 6376, section 8.15).
    public var singletonFields = DKIMVerifierOptions.standardSingletonFields

    /// Creates the defaults.
    public init() {}

    /// The fields that RFC 5322, section 3.6, and RFC 2045, section 3, allow once, those of
    /// RFC 2369, section 2, and RFC 8058 on which a mail reader acts, and those that say who is shown
    /// as the author beside From: in a name (RFC 9057), a picture or logo, or a key to answer with.
    public static let standardSingletonFields: [FieldName] = [
        "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID",
        "In-Reply-To", "References", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Content-Description",
        "List-Unsubscribe", "List-Unsubscribe-Post",
        "Author", "Face", "X-Face", "BIMI-Selector", "Autocrypt",
    ]
}
