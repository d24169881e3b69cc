/// The result words of DKIM (RFC 8601, section 2.7.1).
public enum DKIMStatus: String, Hashable, Sendable, CaseIterable {
    /// The message is not signed.
    case none
    /// The signature is valid and acceptable.
    case pass
    /// The signature does not fit the message.
    case fail
    /// The signature may be valid, but is not acceptable here.
    case policy
    /// The signature could not be processed.
    case neutral
    /// Trying again later may give a result.
    case temperror
    /// No later attempt will give a result.
    case permerror
}
