/// What a domain's owner asks to be done with mail that fails (RFC 9989, section 4.7, tag "p").
///
/// Ordered by strictness.
public enum DMARCPolicy: String, Hashable, Sendable, CaseIterable {
    /// Nothing is asked for.
    case none
    /// The mail is suspicious.
    case quarantine
    /// The mail is not the domain's.
    case reject

    /// One level below, which is what "t=y" asks for (RFC 9989, section 4.7).
    public var lowered: DMARCPolicy {
        switch self {
        case .none, .quarantine: .none
        case .reject: .quarantine
        }
    }
}

extension DMARCPolicy: Comparable {
    private var strictness: Int {
        switch self {
        case .none: 0
        case .quarantine: 1
        case .reject: 2
        }
    }

    /// Whether one policy is less strict than another.
    public static func < (a: DMARCPolicy, b: DMARCPolicy) -> Bool { a.strictness < b.strictness }
}

/// The result of DMARC for a message (RFC 9989, section 9.2).
///
/// The raw value is the word that Authentication-Results uses.
public enum DMARCResult: String, Hashable, Sendable, CaseIterable {
    /// There is no policy record for the author domain.
    case none
    /// There is a record, and an aligned identifier was authenticated.
    case pass
    /// There is a record, and no aligned identifier was authenticated.
    case fail
    /// The DNS gave no answer for now; a later attempt may reach a result.
    case temperror
    /// No later attempt will reach a result.
    case permerror
}

/// How close an identifier must be to the author domain (RFC 9989, section 4.4).
public enum DMARCAlignmentMode: String, Hashable, Sendable {
    /// Both have the same organizational domain.
    case relaxed = "r"
    /// Both are the same.
    case strict = "s"
}

/// How the policy record and the organizational domains are found.
///
/// The raw value is RFC 9990's `discovery_method`.
public enum DMARCDiscoveryMethod: String, Hashable, Sendable {
    /// By walking up the DNS (RFC 9989, section 4.10).
    case treeWalk = "treewalk"
    /// By a list of public suffixes (RFC 7489, section 3.2).
    case publicSuffixList = "psl"
}
