/// The result of an SPF check (RFC 7208, section 2.6).
///
/// The raw value is the word that Received-SPF and Authentication-Results use.
public enum SPFResult: String, Hashable, Sendable, CaseIterable {
    /// There is no policy: no name that could have one, or no record at it.
    case none
    /// The domain says nothing about the client.
    case neutral
    /// The client is authorized to use the domain.
    case pass
    /// The client is not authorized to use the domain.
    case fail
    /// The client is probably not authorized to use the domain.
    case softfail
    /// The DNS gave no answer for now; a later check may reach a result.
    case temperror
    /// The domain's records could not be interpreted.
    case permerror
}

/// What a directive that matches makes of the check (RFC 7208, section 4.6.2).
public enum SPFQualifier: UInt8, Hashable, Sendable {
    /// "+", and the default.
    case pass = 0x2B
    /// "-".
    case fail = 0x2D
    /// "?".
    case neutral = 0x3F
    /// "~".
    case softfail = 0x7E

    /// The result that the qualifier stands for.
    public var result: SPFResult {
        switch self {
        case .pass: .pass
        case .fail: .fail
        case .neutral: .neutral
        case .softfail: .softfail
        }
    }
}
