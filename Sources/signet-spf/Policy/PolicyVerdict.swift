import MailAuth

/// What the results of a message come to under a policy, before it is put into words.
enum PolicyVerdict: Sendable {
    /// There was nothing to check.
    case nothing
    /// Nothing speaks against the message; this result is told in its header.
    case accept(Finding)
    /// The configuration names what to do with a pass.
    case restriction(String)
    /// The message is refused, or put off, for this result.
    case refuse(Finding, Policy.Ruling)

    /// Comes to a verdict: HELO first, then MAIL FROM, as far as it matters.
    ///
    /// - Parameters:
    ///   - policy: what is done about results.
    ///   - senderIsNull: whether the reverse-path is null.
    ///   - helo: checks the HELO name; gives nil where it is not to be checked.
    ///   - mailFrom: checks the reverse-path; gives nil where it is not to be checked.
    /// - Returns: the verdict.
    static func of(
        _ policy: Policy, senderIsNull: Bool, helo: () -> Finding?, mailFrom: () -> Finding?
    ) -> PolicyVerdict {
        let heloFinding = helo()
        let heloRuling =
            heloFinding.map { policy.ruling(on: $0, senderIsNull: senderIsNull) } ?? .accept
        // policyd-spf.conf(5): a pass of the sender that has a restriction of its own outweighs what the
        // HELO name comes to.
        if let heloFinding, policy.mailFromPassRestriction == nil {
            if heloRuling != .accept { return .refuse(heloFinding, heloRuling) }
            if heloFinding.result == .pass, let name = policy.heloPassRestriction {
                return .restriction(name)
            }
        }
        let mailFinding = mailFrom()
        if mailFinding?.result == .pass, let name = policy.mailFromPassRestriction {
            return .restriction(name)
        }
        if heloFinding?.result == .pass, let name = policy.heloPassRestriction {
            return .restriction(name)
        }
        if let heloFinding, heloRuling != .accept { return .refuse(heloFinding, heloRuling) }
        guard let mailFinding else { return heloFinding.map(PolicyVerdict.accept) ?? .nothing }
        let mailRuling = policy.ruling(on: mailFinding, senderIsNull: senderIsNull)
        if mailRuling != .accept { return .refuse(mailFinding, mailRuling) }
        // One header field is added: where the sender has no policy, what HELO says is more, and where the reverse-path is null,
        // it is all there is.
        if let heloFinding,
            senderIsNull || mailFinding.result == .none && heloFinding.result != .none
        {
            return .accept(heloFinding)
        }
        return .accept(mailFinding)
    }
}
