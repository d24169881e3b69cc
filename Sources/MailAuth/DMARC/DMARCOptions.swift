public import MailSyntax

/// What the administrator decides about DMARC.
public struct DMARCOptions: Sendable {
    /// How organizational domains, and with them policy records, are found.
    public enum Discovery: Sendable {
        /// By the walk up the DNS, as RFC 9989 has it.
        case treeWalk
        /// By the list alone, as RFC 7489 had it.
        case publicSuffixList(PublicSuffixList)
        /// By the walk, in which a name that the list has as a public suffix counts as one although its
        /// record has no "psd" tag: a host of many customers may publish a record for all of them.
        case auto(PublicSuffixList)
    }

    /// How organizational domains are found.
    public var discovery = Discovery.treeWalk
    /// The most author domains that a message may have to be evaluated (RFC 9989, section 11.5).
    public var maximumAuthorDomains = 32
    /// The most names that the walks from several author domains may have to be evaluated.
    public var maximumAuthorNames = 64
    /// The most identifiers of one message that are compared with its author domains.
    public var maximumIdentifiers = 32
    /// Whether all names of a walk are asked for at once: fewer round trips, more questions.
    public var asksAhead = false

    /// Creates the defaults.
    public init() {}
}

/// A domain that SPF or DKIM found something out about (RFC 9989, section 3.2.4).
public struct DMARCIdentifier: Hashable, Sendable {
    /// The two mechanisms that DMARC rests on (RFC 9989, section 4.3).
    public enum Mechanism: String, Hashable, Sendable {
        /// SPF, of the reverse-path.
        case spf
        /// DKIM, of a signature's "d=".
        case dkim
    }

    /// What found it out.
    public let mechanism: Mechanism
    /// The domain.
    public let domain: DomainName
    /// The selector of a signature.
    public let selector: DomainName?
    /// The mechanism's result word.
    public let result: String

    /// What SPF found out about the domain of the reverse-path, or, where that is null, of the HELO name.
    ///
    /// Nil where there is no domain that could have been checked.
    public static func spf(_ result: SPFResult, domain: DomainName?) -> DMARCIdentifier? {
        domain.map {
            DMARCIdentifier(
                mechanism: .spf, domain: $0, selector: nil, result: result.rawValue)
        }
    }

    /// What DKIM found out about one signature; nil where its domain could not be read.
    public static func dkim(
        _ status: DKIMStatus, domain: DomainName?, selector: DomainName? = nil
    ) -> DMARCIdentifier? {
        domain.map {
            DMARCIdentifier(
                mechanism: .dkim, domain: $0, selector: selector, result: status.rawValue)
        }
    }

    /// The outcome of an SPF check of the MAIL FROM identity.
    ///
    /// Nil for a check of the HELO identity: "DMARC relies solely on SPF validation of the MAIL FROM
    /// identity" (RFC 9989, section 4.4.2). Of a null reverse-path, that is postmaster at the HELO name.
    public init?(_ outcome: SPFOutcome) {
        guard outcome.request.identity == .mailFrom,
            let identifier = Self.spf(outcome.result, domain: outcome.domain)
        else { return nil }
        self = identifier
    }

    /// The result of one signature.
    public init?(_ result: DKIMResult) {
        guard
            let identifier = Self.dkim(
                result.status, domain: result.domain, selector: result.selector)
        else { return nil }
        self = identifier
    }

    private init(
        mechanism: Mechanism, domain: DomainName, selector: DomainName?, result: String
    ) {
        self.mechanism = mechanism
        self.domain = domain
        self.selector = selector
        self.result = result
    }

    /// Whether the domain is an Authenticated Identifier.
    public var isAuthenticated: Bool { result == "pass" }

    /// Whether a later attempt might authenticate it.
    public var isUndecided: Bool { result == "temperror" }
}
