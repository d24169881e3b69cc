extension MethodResult {
    /// An SPF check's result as Authentication-Results has it (RFC 8601, section 2.7.2).
    ///
    /// Of the reverse-path "the local-part or the following "@" character" are left out. A null one has no domain to name: there
    /// the HELO name stands for it.
    public static func spf(_ outcome: SPFOutcome) -> MethodResult {
        let request = outcome.request
        let isHELO = request.identity == .helo || (request.envelopeFrom ?? []).isEmpty
        return .spf(
            outcome.result.rawValue, comment: outcome.sentence,
            mailFrom: isHELO ? nil : String(decoding: request.senderDomain, as: UTF8.self),
            helo: isHELO ? String(decoding: request.helo, as: UTF8.self) : nil)
    }
}
