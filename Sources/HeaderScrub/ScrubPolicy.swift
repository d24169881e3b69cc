public import Configuration

/// Everything that decides what becomes of a header section.
public struct ScrubPolicy: Sendable {
    /// The rules, the postmaster's before the default ones.
    public var rules = RuleList(RuleList.defaultRules)
    /// The name that stands in the fields that we write; nil for the MTA's own.
    public var publicHostName: String?
    /// How many hops a message may have made.
    public var hopLimit = 50
    /// Whether internal names in Message-ID, In-Reply-To and References are replaced by the public name.
    public var rewritesMessageIDs = false
    /// Domains that are internal besides those that every reader knows to be.
    public var internalDomains = DomainSet()
    /// Whether the Date field is told in UTC.
    public var rewritesDate = false
    /// Whether the MTA's own Received field, which no milter sees, is replaced too.
    public var replacesOwnReceived = false

    /// The default rules and nothing else.
    public init() {}

    /// The name that stands in the fields that we write.
    ///
    /// - Parameter mtaName: the MTA's name for itself.
    /// - Returns: a host name.
    public func host(mtaName: String?) -> String {
        publicHostName ?? mtaName ?? "localhost"
    }
}
