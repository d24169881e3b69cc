package import MailAuth
internal import MailSyntax

/// Why a report is made about a message: what of a policy record's "fo" it fulfils (RFC 9989, section 4.7).
package enum FailureTrigger: Sendable {
    /// "0" or "1": DMARC's own failure.
    case dmarc
    /// "d": a signature that failed, whatever its alignment.
    case dkim(DKIMResult)
    /// "s": SPF failed, whatever its alignment.
    case spf(SPFResult)

    /// Looks whether a domain's record asks for a report about a message; nil where it does not.
    ///
    /// What could not be checked for now has not failed.
    ///
    /// - Parameters:
    ///   - options: the record's "fo".
    ///   - author: what DMARC came to for the domain.
    ///   - spf: what SPF came to; nil where there was nothing to check.
    ///   - signatures: what was found about each signature.
    package init?(
        _ options: DMARCFailureOptions, _ author: DMARCAuthorEvaluation, spf: SPFResult?,
        signatures: [DKIMResult]
    ) {
        let fails = author.result == .fail
        if options.contains(.anyFails) ? fails || author.hasFailedMechanism : fails,
            !options.isDisjoint(with: [.allFail, .anyFails])
        {
            self = .dmarc
        } else if options.contains(.dkimFails),
            let signature = signatures.first(where: { $0.status.isFailure })
        {
            self = .dkim(signature)
        } else if options.contains(.spfFails), let spf, spf.isFailure {
            self = .spf(spf)
        } else {
            return nil
        }
    }
}

extension DMARCAuthorEvaluation {
    /// The mechanisms that have not authenticated an aligned identity.
    var failedMechanisms: [DMARCIdentifier.Mechanism] {
        [.dkim, .spf].filter { !isAligned($0) }
    }

    /// Whether, in a message that passes, one of the mechanisms has not contributed, and not for want of an answer.
    fileprivate var hasFailedMechanism: Bool {
        result == .pass
            && failedMechanisms.contains { mechanism in
                !alignments.contains {
                    $0.identifier.mechanism == mechanism && $0.identifier.result == "temperror"
                }
            }
    }

    /// Whether a domain might be aligned with the author domain, had it been authenticated.
    ///
    /// The evaluation does not find out the Organizational Domain of what failed. Names of which one is below the other, or which are
    /// below the policy's domain both, are taken for those of one organization: a report that says more than it must does no harm.
    func mayBeAligned(_ other: DomainName?) -> Bool {
        guard let other = other?.ascii else { return false }
        let name = domain.ascii
        if other == name || other.hasSuffix(".\(name)") || name.hasSuffix(".\(other)") {
            return true
        }
        guard let owner = policy?.domain.ascii else { return false }
        return other.hasSuffix(".\(owner)")
    }
}

extension DKIMStatus {
    /// Whether a signature with this result has failed its evaluation, and not for a policy of this host.
    var isFailure: Bool { self == .fail || self == .permerror }
}

extension SPFResult {
    /// Whether a message with this result has failed its evaluation (RFC 6591, section 3.3, without what there was nothing to
    /// evaluate for, and what the DNS did not answer).
    var isFailure: Bool { self == .fail || self == .softfail || self == .permerror }
}
