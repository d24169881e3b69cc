public import MailDNS
public import MailSyntax

/// What DMARC came to for a message, and why.
public struct DMARCEvaluation: Sendable {
    /// The result for the message.
    public let result: DMARCResult
    /// What the From field says about the author domains.
    public let authorship: DMARCAuthorship
    /// What breaks the grammar of the From field; nil where nothing does.
    public let fieldFault: AuthorFieldError?
    /// What was found about each author domain that was evaluated, in order of appearance.
    public let authors: [DMARCAuthorEvaluation]
    /// Which of `authors` the result is of; nil where there is none.
    public let decidingIndex: Int?
    /// Every question that was asked of the DNS, in order.
    public let questions: [DNSQuestion]

    /// The author domain that the result is of: for `header.from`.
    public var deciding: DMARCAuthorEvaluation? { decidingIndex.map { authors[$0] } }

    /// What is asked to be done with the message: the strictest policy of the author domains that failed,
    /// one level lower for those with "t=y"; "none" for all results but "fail" (RFC 9989, section 11.5).
    public var disposition: DMARCPolicy {
        result == .fail ? authors.map(\.requestedDisposition).max() ?? .none : .none
    }
}

/// What a From field says about the author domains (RFC 9989, sections 5.3.1 and 11.5).
public enum DMARCAuthorship: Hashable, Sendable {
    /// There is one author domain.
    case one(DomainName)
    /// There are several; each is evaluated.
    case several([DomainName])
    /// There are so many that none is evaluated: to leave some out would let a sender hide one among them.
    case tooMany(Int)
    /// Nobody is named.
    case nobody(AuthorField.NoAuthorReason)
    /// No author domain can be read from the field.
    case malformed(AuthorFieldError)

    init(_ field: AuthorField, _ options: DMARCOptions) {
        switch field {
        case .malformed(let error): self = .malformed(error)
        case .nobody(let reason): self = .nobody(reason)
        case .authors, .sloppy:
            let domains = field.domains
            let all = domains + field.doubtfulDomains
            if let domain = domains.first, all.count == 1 {
                self = .one(domain)
            } else if domains.isEmpty {
                self = .nobody(.empty)
            } else if all.count > max(1, options.maximumAuthorDomains)
                || Self.names(of: all) > options.maximumAuthorNames
            {
                self = .tooMany(all.count)
            } else if domains.count == 1 {
                self = .one(domains[0])
            } else {
                self = .several(domains)
            }
        }
    }

    /// How many names the walks from these domains ask for at most (RFC 9989, section 4.10).
    private static func names(of domains: [DomainName]) -> Int {
        Set(domains.flatMap { DMARCTreeWalk(from: $0).targets }).count
    }

    /// The domains to be evaluated.
    var evaluated: [DomainName] {
        switch self {
        case .one(let domain): [domain]
        case .several(let domains): domains
        case .tooMany, .nobody, .malformed: []
        }
    }

    /// Whether there are several author domains.
    public var isMultiValued: Bool {
        switch self {
        case .several, .tooMany, .malformed(.tooManyMailboxes): true
        case .one, .nobody, .malformed: false
        }
    }

    /// Whether the author domains, one at least, are known and few enough to be evaluated.
    public var canBeEvaluated: Bool {
        switch self {
        case .one, .several: true
        case .tooMany, .nobody, .malformed: false
        }
    }
}

/// What DMARC came to for one author domain.
public struct DMARCAuthorEvaluation: Sendable {
    /// The author domain.
    public let domain: DomainName
    /// Its result.
    public let result: DMARCResult
    /// The policy that applies; nil where there is none, or it could not be found.
    public let policy: DMARCAppliedPolicy?
    /// How each identifier that was, or might have been, authenticated relates to the author domain.
    public let alignments: [DMARCAlignment]
    /// Why the result is what it is.
    public let cause: DMARCCause

    /// What is asked to be done with mail of this domain that failed.
    public var requestedDisposition: DMARCPolicy {
        result == .fail ? policy?.requested ?? .none : .none
    }

    /// What may be asked to be done with mail of this domain for which the DNS did not say whether it passes; "none" for all
    /// other results.
    ///
    /// Where the DNS did not say whether the domain exists, that is the stricter of the two policies.
    public var possibleDisposition: DMARCPolicy {
        guard result == .temperror, let policy else { return .none }
        guard case .dns(let question, _) = cause, question.type == .a else {
            return policy.requested
        }
        let tag = policy.record.subdomainTag(exists: false)
        let other = DMARCAppliedPolicy(
            record: policy.record, domain: policy.domain, tag: tag, method: policy.method)
        return max(policy.requested, other.requested)
    }

    /// Whether an aligned identifier of a mechanism was authenticated.
    public func isAligned(_ mechanism: DMARCIdentifier.Mechanism) -> Bool {
        alignments.contains { $0.identifier.mechanism == mechanism && $0.isAuthenticAndAligned }
    }
}

/// The policy that applies to an author domain (RFC 9989, section 4.10.1).
public struct DMARCAppliedPolicy: Hashable, Sendable {
    /// The policy record.
    public let record: DMARCRecord
    /// Where it was found: `_dmarc` below this domain.
    public let domain: DomainName
    /// Which of the record's tags speaks for the author domain.
    public let tag: DMARCRecord.PolicyTag
    /// How the record was found.
    public let method: DMARCDiscoveryMethod

    /// What the record asks for.
    public var published: DMARCPolicy { record.policy(tag) }

    /// What is asked for, in regard to "t=y", which asks for one level less.
    public var requested: DMARCPolicy { record.isTesting ? published.lowered : published }
}

/// How an identifier relates to an author domain (RFC 9989, section 4.4).
public struct DMARCAlignment: Hashable, Sendable {
    /// The relation.
    public enum Relation: Hashable, Sendable {
        /// Both are the same.
        case identical
        /// Both have this organizational domain.
        case sameOrganization(DomainName)
        /// They are not aligned, in this mode.
        case none(DMARCAlignmentMode)
        /// The DNS did not say.
        case unknown(DNSQuestion, DNSFailure)
    }

    /// The identifier.
    public let identifier: DMARCIdentifier
    /// How it relates to the author domain.
    public let relation: Relation

    /// Whether the two are aligned.
    public var isAligned: Bool {
        switch relation {
        case .identical, .sameOrganization: true
        case .none, .unknown: false
        }
    }

    /// Whether this makes the message pass.
    public var isAuthenticAndAligned: Bool { identifier.isAuthenticated && isAligned }

    /// Whether this might have made the message pass, had the DNS answered.
    var isUndecided: Bool {
        if case .unknown = relation { return true }
        return isAligned && identifier.isUndecided
    }
}

/// Why an author domain has its result.
public enum DMARCCause: Hashable, Sendable {
    /// There is no policy record.
    case noRecord
    /// There are this many records at the author domain, so that none counts.
    case severalRecords(Int)
    /// The record has no valid policy, and no address for reports (RFC 9989, section 4.10.1).
    case noValidPolicy(DomainName)
    /// The DNS did not answer a question that the result depends on.
    case dns(DNSQuestion, DNSFailure)
    /// An identifier that is aligned could not be checked for now.
    case undecided(DMARCAlignment)
    /// An identifier is authenticated and aligned.
    case aligned(DMARCAlignment)
    /// None is.
    case notAligned
}
