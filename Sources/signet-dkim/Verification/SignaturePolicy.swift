import Configuration
import MailAuth
import MailDNS
import MailSyntax

/// What the administrator makes of a signature's result (TrustSignaturesFrom, UnprotectedKey, BogusKey).
///
/// The engine says what the standards say; here a result may only get worse.
struct SignaturePolicy: Sendable {
    /// What a passing signature is worth whose key DNSSEC does not protect, or a key that DNSSEC refutes.
    enum Worth: String, Sendable {
        case none, neutral, fail
    }

    /// Domains besides the author's whose signatures count; nil for all.
    var trustedDomains: DomainSet?
    /// The worth of passing signatures with unprotected keys; `none` leaves them passing.
    var unprotectedKey = Worth.none
    /// The worth of signatures whose keys DNSSEC refutes.
    var bogusKey = Worth.fail

    /// A signature's result as it will be reported.
    struct Verdict: Sendable {
        /// What the engine found.
        let result: DKIMResult
        /// The result word, made worse where the policy says so.
        let status: DKIMStatus
        /// Why it is not pass, in words; nil when it is.
        let reason: String?
    }

    /// Judges one result of a message whose authors have these domains.
    func judge(_ result: DKIMResult, authors: [DomainName]) -> Verdict {
        if case .dns(let failure) = result.reason, case .bogus = failure, bogusKey != .none {
            return Verdict(
                result: result, status: bogusKey == .fail ? .fail : .neutral,
                reason: result.reason.description)
        }
        guard result.status == .pass else {
            return Verdict(
                result: result, status: result.status, reason: result.reason.description)
        }
        // To lend the signer's name to authors of other domains would mislead readers: no such message is signed here either.
        // That is a decision of ours about a signature that is valid: "policy" (RFC 8601, section 2.7.1).
        if let first = authors.first, authors.contains(where: { $0 != first }) {
            return Verdict(
                result: result, status: .policy, reason: "From has authors in several domains")
        }
        if let trustedDomains, let domain = result.domain,
            !authors.contains(where: { $0.isEqualOrSubdomain(of: domain) }),
            !trustedDomains.contains(domain)
        {
            return Verdict(
                result: result, status: .policy,
                reason: "signatures of \(domain) count for its own mail only")
        }
        if unprotectedKey != .none, !result.isKeySecure {
            return Verdict(
                result: result, status: unprotectedKey == .fail ? .fail : .neutral,
                reason: "DNSSEC does not protect the key")
        }
        return Verdict(result: result, status: .pass, reason: nil)
    }
}

extension SignaturePolicy.Verdict {
    /// The result in the form of Authentication-Results (RFC 8601, section 2.7.1).
    func methodResult(withoutHeaderB: Bool) -> MethodResult {
        .dkim(result, status: status, reason: reason, withoutSignature: withoutHeaderB)
    }
}
