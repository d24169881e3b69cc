public import MailSyntax

/// What an authentication service found out about a message (RFC 8601, section 2.2).
///
/// Reading is lenient and writing strict. That a field could be read is no reason to trust it: whoever
/// reads results asks for the exact `authservID`, for `isWellFormed` and for `isSupportedVersion`; whoever
/// removes forgeries asks `claims`, which is generous.
///
/// Trust: `init(parsing:)` reads hostile text in linear time; the results it keeps are bounded.
public struct AuthenticationResults: Hashable, Sendable {
    /// The version of RFC 8601's format (section 2.2).
    public static let supportedVersion = 1

    /// Who says so; empty where a field that is not well formed does not tell.
    public var authservID: AuthservID
    /// The version of the format; nil means 1.
    public var version: Int?
    /// The results in order; none is written as `none`.
    public var results: [MethodResult]
    /// Whether all of the field could be read in one way only.
    ///
    /// Values without the quotes that RFC 8601, section 2.2, asks for are no fault.
    public private(set) var isWellFormed = true

    /// Creates results to be written.
    public init(_ authservID: AuthservID, _ results: [MethodResult] = []) {
        self.authservID = authservID
        self.results = results
    }

    /// Reads the value of a field, and keeps what can be read.
    public init(parsing value: Span<UInt8>) {
        var parser = AuthenticationResultsParser(value)
        parser.parse()
        authservID = AuthservID(parser.authservID)
        version = parser.version
        results = parser.results
        isWellFormed = parser.isWellFormed
    }

    /// Whether the format is the one that is known here.
    public var isSupportedVersion: Bool { version.map { $0 == Self.supportedVersion } ?? true }

    /// Whether a field's value claims to be of this service, parseable or not.
    public static func claims(_ value: Span<UInt8>, _ authservID: AuthservID) -> Bool {
        var budget = AuthservIDClaim.Budget()
        return AuthservIDClaim.isMade(by: value, of: authservID, &budget)
    }

    /// The fields that must go before ours is added: those that claim one of our identifiers (RFC 8601,
    /// section 5).
    ///
    /// The highest comes first, as each deletion renumbers the ones below it. Fields of other services
    /// stay, but for those of a version that is not known here, if these are asked for: RFC 8601,
    /// section 5, would have them removed from mail that comes from outside.
    public static func deletions(
        in header: HeaderSection, claiming ours: [AuthservID], andUnknownVersions: Bool = true
    ) -> [FieldOccurrence] {
        let bytes = header.bytes.span
        var deletions: [FieldOccurrence] = []
        var budget = AuthservIDClaim.Budget()
        for (index, field) in header.indices(named: .authenticationResults).enumerated().reversed()
        {
            let value = bytes.extracting(header.fields[field].value)
            if ours.contains(where: { AuthservIDClaim.isMade(by: value, of: $0, &budget) })
                || andUnknownVersions && hasUnknownVersion(value)
            {
                deletions.append(FieldOccurrence(.authenticationResults, index + 1))
            }
        }
        return deletions
    }

    private static func hasUnknownVersion(_ value: Span<UInt8>) -> Bool {
        var parser = AuthenticationResultsParser(value)
        parser.parseHead()
        return parser.version.map { $0 != supportedVersion } ?? false
    }
}

/// One field among those of its name, as milters count: from 1, from the top.
public struct FieldOccurrence: Hashable, Sendable {
    /// The field's name.
    public let name: FieldName
    /// Its place among the fields of that name.
    public let occurrence: Int

    /// Creates an occurrence.
    public init(_ name: FieldName, _ occurrence: Int) {
        self.name = name
        self.occurrence = occurrence
    }
}
