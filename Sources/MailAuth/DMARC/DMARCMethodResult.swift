internal import MailSyntax

extension MethodResult {
    /// DMARC's result as Authentication-Results has it.
    ///
    /// The comment gives the policy that applies, what is done with the message, and why:
    /// `dmarc=fail (p=reject dis=quarantine; neither SPF nor DKIM passed for example.org)`.
    ///
    /// - Parameters:
    ///   - evaluation: what was found.
    ///   - disposition: what is done with the message here, whatever is asked for.
    /// - Returns: the result, with `header.from` where there is an author domain, and `policy.dmarc`, what is asked for
    ///   "after policy options have been processed" (RFC 9989, section 9.1), where it has a record.
    public static func dmarc(
        _ evaluation: DMARCEvaluation, disposition: DMARCPolicy
    ) -> MethodResult {
        let deciding = evaluation.deciding
        let policy = deciding?.policy.map { "\($0.tag.rawValue)=\($0.published.rawValue) " } ?? ""
        return .dmarc(
            evaluation.result.rawValue,
            comment: "\(policy)dis=\(disposition.rawValue); \(evaluation.sentence)",
            from: deciding?.domain.ascii, policy: deciding?.policy?.requested.rawValue)
    }
}
