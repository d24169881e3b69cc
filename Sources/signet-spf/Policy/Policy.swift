import Configuration
import MailAuth
import MailSyntax

/// What is done about results, and about whom nothing is asked: the part of the configuration that each
/// recipient may have of his own (Per_User).
struct Policy: Sendable {
    /// Which results of an identity are refused: the words of HELO_reject and Mail_From_reject.
    enum Strictness: String, Sendable {
        /// All but pass, none, neutral and temperror.
        case notPass = "SPF_Not_Pass"
        /// Fail and softfail.
        case softfail = "Softfail"
        /// Fail.
        case fail = "Fail"
        /// Fail, where the reverse-path is null; for HELO only.
        case null = "Null"
        /// Nothing: results are told, no more.
        case never = "False"
        /// The identity is not even checked.
        case noCheck = "No_Check"
    }

    /// HELO_reject.
    var helo = Strictness.fail
    /// Mail_From_reject.
    var mailFrom = Strictness.fail
    /// Whether only domains that send no mail at all are refused (No_Mail).
    var refusesOnlyNoMail = false
    /// Domains of which softfail is refused too (Reject_Not_Pass_Domains).
    var notPassDomains = DomainSet()
    /// Whether "permerror" is refused.
    var refusesPermError = false
    /// Whether "temperror" is put off.
    var defersTempError = false
    /// Whether nothing is refused, and what would be is logged (TestOnly = 0).
    var isTest = false
    /// The action for a HELO name that passes (HELO_pass_restriction).
    var heloPassRestriction: String?
    /// The action for a sender that passes (Mail_From_pass_restriction).
    var mailFromPassRestriction: String?
    /// Whether refusals carry the codes of RFC 7372.
    var givesEnhancedCodes = true
    /// The text of refusals.
    var reason = ReasonTemplate.standard
    /// How many lookups of a check may find nothing (RFC 7208, section 4.6.4).
    var voidLimit = 2
    /// Who is not checked.
    var exemptions = Exemptions()

    /// What to do about a result.
    enum Ruling: Hashable, Sendable {
        case accept
        case reject
        case `defer`
    }

    /// What to do about the result of a check of one identity.
    ///
    /// - Parameters:
    ///   - finding: the result.
    ///   - senderIsNull: whether the reverse-path is null.
    /// - Returns: the ruling.
    func ruling(on finding: Finding, senderIsNull: Bool) -> Ruling {
        let strictness = finding.identity == .helo ? helo : mailFrom
        let isListed = finding.domain.map(notPassDomains.contains) ?? false
        if strictness == .null, !senderIsNull { return .accept }
        // policyd-spf.conf(5): HELO_reject and Mail_From_reject False override both error settings.
        if finding.result == .temperror {
            let isDeferred = defersTempError || finding.isUndecided
            return isDeferred && strictness != .never ? .defer : .accept
        }
        let refused =
            switch finding.result {
            // "A "neutral" result MUST be treated exactly like the "none" result" (RFC 7208, section 8.2).
            case .none, .neutral, .pass, .temperror: false
            case .fail: strictness != .never || isListed
            case .softfail: strictness == .softfail || strictness == .notPass || isListed
            case .permerror:
                strictness == .notPass || (refusesPermError && strictness != .never)
            }
        guard refused, !refusesOnlyNoMail || finding.sendsNoMail else { return .accept }
        return .reject
    }
}

/// A policy that messages and recipients share: to hold on to it costs one reference.
final class SharedPolicy: Sendable {
    /// The policy.
    let policy: Policy

    /// Shares a policy.
    init(_ policy: Policy) { self.policy = policy }
}
