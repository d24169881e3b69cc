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

    /// Creates the defaults.
    public init() {}
}
