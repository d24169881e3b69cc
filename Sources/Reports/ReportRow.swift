internal import ReportStore

/// What a "record" of a report says, but for how often: messages for which it is the same are one
/// record.
struct ReportRow: Hashable {
    /// A result of DKIM.
    struct Signature: Hashable {
        let domain: String
        let selector: String
        let result: String
    }

    /// A result of SPF.
    struct Sender: Hashable {
        let domain: String
        let result: String
    }

    /// Why the policy was overridden.
    struct Reason: Hashable {
        let type: String
        let comment: String
    }

    var sourceAddress: String
    let disposition: String
    let isDKIMAligned: Bool
    let isSPFAligned: Bool
    let reasons: [Reason]
    let headerFrom: String
    let envelopeFrom: String
    let envelopeTo: String?
    let signatures: [Signature]
    let sender: Sender?

    /// The row of messages from an address.
    init(_ verdict: Verdict, from address: String, under policy: Evaluation.Policy) {
        sourceAddress = address
        disposition = Self.disposition(of: verdict)
        isDKIMAligned = verdict.isDKIMAligned
        isSPFAligned = verdict.isSPFAligned
        reasons = Self.reasons(of: verdict, under: policy)
        headerFrom = verdict.headerFrom
        envelopeFrom = verdict.envelopeFrom ?? ""
        envelopeTo = verdict.envelopeTo
        signatures = verdict.authentications.filter { $0.mechanism == "dkim" }.prefix(100).map {
            Signature(
                domain: $0.domain, selector: $0.selector ?? "",
                result: Self.word($0.result, of: Self.results))
        }
        sender = verdict.authentications.first { $0.mechanism == "spf" }.map {
            Sender(
                domain: $0.domain, result: Self.word($0.result, of: Self.results + ["softfail"]))
        }
    }

    /// The words of RFC 8601, sections 2.7.1 and 2.7.2, that both mechanisms have.
    private static let results = [
        "none", "pass", "fail", "policy", "neutral", "temperror", "permerror",
    ]
    /// The types of RFC 9990, section 3.1.6.
    private static let types = [
        "local_policy", "mailing_list", "other", "policy_test_mode", "trusted_forwarder",
    ]

    /// "pass": "No action, passing DMARC w/enforcing policy" (RFC 9990, appendix A).
    private static func disposition(of verdict: Verdict) -> String {
        if verdict.result == "pass" { return isEnforcing(verdict.applied) ? "pass" : "none" }
        return word(verdict.disposition, of: ["none", "quarantine", "reject"])
    }

    private static func isEnforcing(_ policy: String) -> Bool {
        policy == "quarantine" || policy == "reject"
    }

    /// "If alignment fails and the policy applied does not match the DMARC Policy Domain's
    /// configured policy, the "reason" element MUST be included" (RFC 9990, section 3.1.1.9).
    private static func reasons(
        of verdict: Verdict, under policy: Evaluation.Policy
    ) -> [Reason] {
        let reasons = verdict.overrides.map { override in
            types.contains(override.kind)
                ? Reason(type: override.kind, comment: override.comment)
                : Reason(type: "other", comment: "\(override.kind): \(override.comment)")
        }
        guard reasons.isEmpty, verdict.result != "pass", isEnforcing(verdict.applied),
            disposition(of: verdict) != verdict.applied
        else { return reasons }
        return [Reason(type: policy.isTesting ? "policy_test_mode" : "local_policy", comment: "")]
    }

    /// A word, or, where it is none of those that are allowed, the first of them.
    private static func word(_ word: String, of allowed: [String]) -> String {
        allowed.contains(word) ? word : allowed[0]
    }
}
